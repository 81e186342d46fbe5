{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_stop_week') }}",
) }}

{# Each bin is twice as long as the one before; the last has no upper end. #}
{% set bins = 20 %}

with

stops as (
    select *
    from {{ ref("stop") }}
    where not is_continued and {{ in_touched_weeks("production_week_start", "int_touched_stop_week") }}
),

binned as (
    select
        *,
        case
            {% for power in range(bins, -1, -1) -%}
                when duration_s >= {{ 2 ** power }} then {{ 2 ** power }}
            {% endfor -%}
            else 0
        end::double as from_s
    from stops
),

final as (
    select
        production_week_start,
        machine_id,
        line_id,
        time_group,
        bucket,
        coalesce(stop_class, '(none)') as stop_class,
        from_s,
        case when from_s = 0e0 then 1e0 when from_s < {{ 2 ** bins }} then 2 * from_s end as to_s,
        count(*) as stop_count,
        round(sum(duration_s), 6) as duration_s
    from binned
    group by all
)

select * from final
