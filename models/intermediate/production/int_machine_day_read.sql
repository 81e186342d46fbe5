-- Production days whose records and schedule are read to write the touched weeks: those weeks, and around them as long
-- as anything is believed. One row per day, with the bounds of what its week is allowed to look at.
with

rules as (
    select {{ production_rule("state_lasts_days") }}::int as state_lasts_days
),

days as (
    select
        *,
        date_trunc('week', production_date)::date as production_week_start
    from {{ ref("stg_calendar_day") }}
),

touched as (
    select week_start from {{ ref("int_touched_machine_week") }}
),

weeks as (
    select
        days.production_week_start,
        min(days.day_start_at) - max(rules.state_lasts_days) * interval '1 day' as looks_back_to,
        max(days.day_end_at) + max(rules.state_lasts_days) * interval '1 day' as looks_ahead_to
    from days
    cross join rules
    group by days.production_week_start
),

dates as (
    select distinct days.production_date
    from days
    cross join rules
    inner join touched
        on days.production_date >= (touched.week_start - (2 * rules.state_lasts_days + 1) * interval '1 day')::date
        and days.production_date <= (touched.week_start + (rules.state_lasts_days + 7) * interval '1 day')::date
),

final as (
    select
        days.production_date,
        days.production_week_start,
        days.day_start_at,
        days.day_start_at_local,
        days.day_end_at,
        days.day_end_at_local,
        days.offset_changed_at,
        weeks.looks_back_to,
        weeks.looks_ahead_to,
        touched.week_start is not null as is_written
    from days
    inner join dates on days.production_date = dates.production_date
    inner join weeks on days.production_week_start = weeks.production_week_start
    left join touched on days.production_week_start = touched.week_start
)

select * from final
