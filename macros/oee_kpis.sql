{#
    The figures of metrics.md "Machine time and OEE" are divided here and nowhere else. Each level sums the parts of
    int_machine_time (oee_parts), then divides (oee_kpis).
#}

{# What the figures depend on besides the parts; a row. #}
{% macro oee_rules() -%}
    select
        {{ production_rule("min_data_coverage") }} as min_data_coverage,
        {%- for bucket in ["late_start", "early_end"] %}
        (select max(time_group) from {{ ref("int_time_bucket") }} where bucket = '{{ bucket }}')
            in ('APT', 'AUST', 'ADET', 'ADOT') as {{ bucket }}_is_busy{{ "," if not loop.last }}
        {%- endfor %}
{%- endmacro %}

{# Scheduled time before the first part and after the last: all of it, and what of it the plant counts as busy time. #}
{% macro edge_seconds() -%}
    late_start_s + early_end_s as edge_s,
        case when late_start_is_busy then late_start_s else 0e0 end
        + case when early_end_is_busy then early_end_s else 0e0 end as edge_in_pbt_s
{%- endmacro %}

{# Sums of the parts; seconds to the microsecond, so that they don't depend on the order in which they were added.
   `run_time_good`: the column, where the parts are summed already. #}
{% macro oee_parts(run_time_good=none) -%}
    {%- for part in [
        "apt_s", "aust_s", "adet_s", "adot_s", "planned_downtime_s", "unscheduled_s", "no_data_s",
        "unplanned_production_s", "edge_s", "edge_in_pbt_s",
    ] %}
        round(sum({{ part }}), 6) as {{ part }},
    {%- endfor %}
    {%- for part in ["produced", "good", "scrap", "rework", "unrated_count"] %}
        coalesce(sum({{ part }}), 0)::bigint as {{ part }},
    {%- endfor %}
        coalesce(sum(planned_run_time_s), 0e0) as planned_run_time_s,
        coalesce(sum({{ run_time_good or planned_run_time_of("good") }}), 0e0) as planned_run_time_good_s
{%- endmacro %}

{# Planned run time of some of the units of one machine, product and day: those have one standard rate, or none. #}
{% macro planned_run_time_of(units) -%}
    coalesce({{ ratio("planned_run_time_s", "produced - unrated_count") }} * {{ units }}, 0e0)
{%- endmacro %}

{# Condition: most units have a standard rate, and time of production brought units. #}
{% macro units_are_rated(prefix="") -%}
    ({{ prefix }}apt_s = 0e0 or {{ ratio(prefix ~ "produced - " ~ prefix ~ "unrated_count", prefix ~ "produced") }} >= min_data_coverage)
{%- endmacro %}

{# A ratio that is NULL where too little is known of time or units. #}
{% macro ratio_if_known(numerator, denominator, pbt, prefix="") -%}
    case
            when {{ units_are_rated(prefix) }} and {{ ratio(pbt, pbt ~ " + " ~ prefix ~ "no_data_s") }} >= min_data_coverage
                then {{ ratio(numerator, denominator) }}
        end
{%- endmacro %}

{#
    Parts and figures of a level. OEE, NEE and effectiveness are NULL where too little is known: records of less than
    min_data_coverage of the time, a standard rate of fewer of the units, or no unit at all in the time of production.
    min_data_coverage has to be at hand as a column (production_rule).
#}
{% macro oee_kpis() -%}
    {%- set aupt = "(apt_s + aust_s)" -%}
    {%- set aubt = "(apt_s + aust_s + adet_s)" -%}
    {%- set pbt = "(apt_s + aust_s + adet_s + adot_s)" -%}
    {%- set scheduled_pbt = "(" ~ pbt ~ " + edge_s - edge_in_pbt_s)" -%}
    {%- set first_to_last_pbt = "(" ~ pbt ~ " - edge_in_pbt_s)" -%}
    -- time, seconds
        round({{ pbt }}, 6) as pbt_s,
        round({{ aubt }}, 6) as aubt_s,
        round({{ aupt }}, 6) as aupt_s,
        apt_s,
        aust_s,
        adet_s,
        adot_s,
        round({{ pbt }} + planned_downtime_s + unscheduled_s + no_data_s, 6) as calendar_s,
        planned_downtime_s,
        unscheduled_s,
        no_data_s,
        unplanned_production_s,
        round({{ scheduled_pbt }}, 6) as scheduled_pbt_s,
        round({{ first_to_last_pbt }}, 6) as first_to_last_pbt_s,

        -- units
        produced,
        good,
        scrap,
        rework,
        unrated_count,
        planned_run_time_s,
        planned_run_time_good_s,

        -- figures
        {{ ratio(pbt, pbt ~ " + no_data_s") }} as data_coverage,
        {{ ratio("apt_s", pbt) }} as availability,
        case when {{ units_are_rated() }} then {{ ratio("planned_run_time_s", "apt_s") }} end as effectiveness,
        {{ ratio("good", "produced") }} as quality_ratio,
        {{ ratio_if_known("planned_run_time_good_s", pbt, pbt) }} as oee,
        {{ ratio_if_known("planned_run_time_good_s * " ~ aupt, "apt_s * " ~ pbt, pbt) }} as nee,
        {{ ratio("apt_s", aubt) }} as utilization_efficiency,
        {{ ratio("apt_s", "apt_s + adet_s") }} as technical_efficiency,
        {{ ratio("aust_s", aupt) }} as setup_ratio,
        {{ ratio("3600 * produced", aubt) }} as throughput_rate_per_h,
        {{ ratio("scrap", "produced") }} as scrap_ratio,
        {{ ratio("rework", "produced") }} as rework_ratio,
        {{ ratio("apt_s", scheduled_pbt) }} as scheduled_availability,
        {{ ratio_if_known("planned_run_time_good_s", scheduled_pbt, pbt) }} as scheduled_oee,
        {{ ratio("apt_s", first_to_last_pbt) }} as first_to_last_availability,
        {{ ratio_if_known("planned_run_time_good_s", first_to_last_pbt, pbt) }} as first_to_last_oee
{%- endmacro %}
