{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

with

intervals as (
    select *
    from {{ ref("int_machine_interval") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

outputs as (
    select *
    from {{ ref("int_machine_output") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

times as (
    select
        production_date,
        production_week_start,
        machine_id,
        line_id,
        hour_local,
        product_name,
        {% for group in ["APT", "AUST", "ADET", "ADOT"] -%}
            coalesce(sum(duration_us) filter (where time_group = '{{ group }}'), 0)::bigint / 1e6
                as {{ group | lower }}_s,
        {% endfor -%}
        sum(duration_us)::bigint / 1e6 as calendar_s
    from intervals
    group by all
),

units as (
    select
        production_date,
        production_week_start,
        machine_id,
        line_id,
        hour_local,
        product_name,
        sum(produced)::bigint as produced,
        sum(good)::bigint as good,
        sum(scrap)::bigint as scrap,
        sum(rework)::bigint as rework,
        sum(unrated_count)::bigint as unrated_count,
        sum(planned_run_time_s) as planned_run_time_s
    from outputs
    group by all
),

joined as (
    select
        production_date,
        production_week_start,
        machine_id,
        coalesce(times.line_id, units.line_id) as line_id,
        hour_local,
        product_name,
        {% for part in ["calendar_s", "apt_s", "aust_s", "adet_s", "adot_s"] -%}
            coalesce(times.{{ part }}, 0e0) as {{ part }},
        {% endfor -%}
        {% for part in ["produced", "good", "scrap", "rework", "unrated_count"] -%}
            coalesce(units.{{ part }}, 0)::bigint as {{ part }},
        {% endfor -%}
        coalesce(units.planned_run_time_s, 0e0) as planned_run_time_s
    from times
    full outer join units
        using (production_date, production_week_start, machine_id, hour_local, product_name)
),

final as (
    select
        *,
        {{ ratio("3600 * produced", "apt_s") }} as production_rate_per_h,
        {{ ratio("3600 * (produced - unrated_count)", "planned_run_time_s") }} as standard_rate_per_h
    from joined
)

select * from final
