-- Production weeks in which a stop may look different: it reaches into a touched week, or what ran in the seven days
-- before or after it lies in one. No stop reaches back further than state_lasts_days before a week
-- (int_machine_interval).
with

rules as (
    select {{ production_rule("state_lasts_days") }}::int as state_lasts_days
),

days as (
    select * from {{ ref("stg_calendar_day") }}
),

weeks as (
    select distinct date_trunc('week', production_date)::date as week_start from days
),

final as (
    select distinct weeks.week_start
    from weeks
    cross join rules
    inner join {{ ref("int_touched_machine_week") }} as touched
        on weeks.week_start + (rules.state_lasts_days + 13) * interval '1 day' >= touched.week_start
        and weeks.week_start - interval '7 days' <= touched.week_start
)

select * from final where {{ is_open("week_start") }}
