{#
    Parameters of anomaly detection, as settled on simulated series that are not those it is judged by (docs/anomalies.md).
    <detector>_usual: times the 80 % quantile of its measure over the blocks before; <detector>_high: times the 98 %
    quantile; <detector>_least: never nearer than this.
#}
{% macro anomaly_parameters() %}
    {{ return({
        "spike_usual": 2.1, "spike_high": 1.6, "spike_least": 4.0,
        "jump_usual": 2.6, "jump_high": 2.0, "jump_least": 6.0,
        "short_usual": 2.4, "short_high": 1.7, "short_least": 2.0,
        "long_usual": 2.4, "long_high": 1.7, "long_least": 1.5,
        "wider_usual": 2.0, "wider_high": 1.3, "wider_least": 0.6,
        "narrower_usual": 2.0, "narrower_high": 1.3, "narrower_least": 1.0,
        "drift_usual": 2.5, "drift_high": 1.5, "drift_least": 1.0,
        "rhythm_usual": 2.5, "rhythm_high": 1.5, "rhythm_least": 0.8,
        "run_usual": 2.0, "run_high": 1.5, "run_least": 20.0,
        "gap_usual": 3.0, "gap_high": 2.0, "gap_least": 20.0,
        "learning": 2.5,
        "share": 3.9, "share_of_many": 4.4, "peers": 4.2, "together": 0.42, "together_high": 1.5,
        "apart_usual": 2.9, "apart_high": 1.75, "apart_least": 0.6,
        "low_sensitivity": 1.3, "high_sensitivity": 0.8,
        "settling_min": 15.0, "merge_ticks": 30.0, "merge_h": 1.0,
        "refractory_ticks": 120.0, "refractory_h": 6.0, "flags_per_day": 20.0, "silent_share": 0.5,
    }) }}
{% endmacro %}
