-- The components of every KPI: one row per machine, production day, shift, phase of the shift and product. A stop
-- counts, and a failure is repaired, where the stop began to cost busy time; durations are summed in microseconds,
-- divided last.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

{% set keys = [
    "machine_id", "line_id", "production_date", "production_week_start", "shift_date", "shift_name", "crew",
    "shift_start_at", "shift_phase", "product_name",
] %}
{% set buckets = [
    "production", "performance_stop", "retest", "unplanned_production", "setup", "malfunction", "minor_stop",
    "interruption", "starved", "blocked", "no_operator", "no_material", "no_order", "idle", "late_start", "early_end",
    "break", "planned_maintenance", "planned_stop", "holiday", "closed",
] %}
{# unscheduled and no_data are groups, too: with what else the plant counts so #}
{% set groups = ["APT", "AUST", "ADET", "ADOT", "planned_downtime", "unscheduled", "no_data"] %}

with

days_read as (
    select * from {{ ref("int_machine_day_read") }}
),

intervals as (
    select * from {{ ref("int_machine_interval") }} where production_date in (select production_date from days_read)
),

stops_ranked as (
    select
        *,
        row_number() over (partition by machine_id, stop_started_at order by started_at) as interval_rank,
        sum(duration_us) over (partition by machine_id, stop_started_at) as stop_us,
        bool_or(is_failure) over (partition by machine_id, stop_started_at) as is_failed
    from intervals
    where stop_started_at is not null
),

-- a stop that began longer ago than anything is looked back to is counted in the week in which it began
stops as (
    select stops_ranked.*
    from stops_ranked
    inner join days_read on stops_ranked.production_date = days_read.production_date
    where stops_ranked.interval_rank = 1 and stops_ranked.stop_started_at > days_read.looks_back_to
),

components as (
    select
        {% for key in keys -%}
            {{ key }},
        {% endfor -%}
        bucket,
        time_group,
        duration_us,
        0::bigint as stop_count,
        0::bigint as failure_count,
        0::bigint as repair_us,
        0::bigint as produced,
        0::bigint as good,
        0::bigint as scrap,
        0::bigint as rework,
        0e0 as planned_run_time_s,
        0::bigint as unrated_count
    from intervals
    union all
    select
        {% for key in keys -%}
            {{ key }},
        {% endfor -%}
        null::string as bucket,
        null::string as time_group,
        0::bigint as duration_us,
        (time_group <> 'AUST')::bigint as stop_count,
        is_failed::bigint as failure_count,
        case when is_failed then stop_us else 0 end::bigint as repair_us,
        0::bigint as produced,
        0::bigint as good,
        0::bigint as scrap,
        0::bigint as rework,
        0e0 as planned_run_time_s,
        0::bigint as unrated_count
    from stops
    union all
    select
        {% for key in keys -%}
            {{ key }},
        {% endfor -%}
        null::string as bucket,
        null::string as time_group,
        0::bigint as duration_us,
        0::bigint as stop_count,
        0::bigint as failure_count,
        0::bigint as repair_us,
        produced,
        good,
        scrap,
        rework,
        planned_run_time_s,
        unrated_count
    from {{ ref("int_machine_output") }}
    where production_date in (select production_date from days_read)
),

final as (
    select
        {% for key in keys if key != "production_week_start" -%}
            {{ key }},
        {% endfor -%}

        -- time by bucket, and by what it counts as
        {% for bucket in buckets -%}
            {{ seconds_where("bucket = '" ~ bucket ~ "'") }} as {{ bucket }}_s,
        {% endfor -%}
        {% for group in groups -%}
            {{ seconds_where("time_group = '" ~ group ~ "'") }} as {{ group | lower }}_s,
        {% endfor %}

        -- stops that began here
        sum(stop_count)::bigint as stop_count,
        sum(failure_count)::bigint as failure_count,
        sum(repair_us)::bigint / 1e6 as repair_s,

        -- units
        sum(produced)::bigint as produced,
        sum(good)::bigint as good,
        sum(scrap)::bigint as scrap,
        sum(rework)::bigint as rework,
        sum(planned_run_time_s) as planned_run_time_s,
        sum(unrated_count)::bigint as unrated_count,
        production_week_start
    from components
    where {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
    group by all
)

select * from final order by production_week_start, machine_id
