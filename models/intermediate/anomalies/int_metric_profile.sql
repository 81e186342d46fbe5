-- One row per series, production day and hour of it: what the hour is expected to be by the days before alone, and by
-- the same weekday of the weeks before. Days with a fault among them are outvoted: these are medians.
{{ config(
    materialized="incremental",
    partition_by="production_date",
    pre_hook="{{ clear_touched_metrics() }}",
) }}

with

hours as (
    select * from {{ ref("int_metric_hour") }}
),

days as (
    select distinct
        hours.series_id,
        hours.baseline_number,
        hours.day_number,
        hours.production_date
    from hours
    inner join {{ ref("int_touched_metric") }} as touched
        on hours.series_id = touched.series_id
        and hours.production_date >= touched.touched_from
),

before as (
    select
        days.*,
        hours.slot,
        hours.value_mid,
        days.day_number - hours.day_number as days_ago
    from days
    inner join hours
        on days.series_id = hours.series_id
        and days.baseline_number = hours.baseline_number
        and hours.day_number between days.day_number - 28 and days.day_number - 1
),

levels as (
    select
        series_id,
        baseline_number,
        day_number,
        median(value_mid) as level_mid
    from before
    group by all
),

slots as (
    select
        series_id,
        baseline_number,
        day_number,
        production_date,
        slot,
        median(value_mid) filter (where days_ago <= 14) as day_mid,
        count(*) filter (where days_ago <= 14) as day_count,
        median(value_mid) filter (where days_ago % 7 = 0) as week_mid,
        count(*) filter (where days_ago % 7 = 0) as week_count
    from before
    group by all
),

final as (
    select
        slots.series_id,
        slots.baseline_number,
        slots.day_number,
        slots.slot,
        levels.level_mid,
        case when slots.day_count >= 3 then slots.day_mid end as day_mid,
        case when slots.week_count >= 2 then slots.week_mid end as week_mid,
        hours.value_mid,
        slots.production_date
    from slots
    inner join levels
        on slots.series_id = levels.series_id
        and slots.baseline_number = levels.baseline_number
        and slots.day_number = levels.day_number
    left join hours
        on slots.series_id = hours.series_id
        and slots.baseline_number = hours.baseline_number
        and slots.day_number = hours.day_number
        and slots.slot = hours.slot
)

select * from final
