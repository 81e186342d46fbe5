{#
    Condition: between two successive readings of a sensor some are missing. More than a minute, so that both stand in
    minutes of their own, which know their first and last reading; of sensors that are read less often, several periods.
#}
{% macro is_sensor_gap(earlier, later, period_s) -%}
    {{ seconds_between(earlier, later) }}
        > greatest(60e0, {{ var("sensor_gap_periods") }} * coalesce({{ period_s }}, {{ var("sensor_unknown_period_s") }}))
{%- endmacro %}
