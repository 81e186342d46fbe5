-- A loss is told twice or not at all: the steps from calendar time down to effective time of a machine's day do not add
-- up to that day's calendar time, or the time groups of the steps are not those of its OEE.
with

steps as (
    select
        production_date,
        machine_id,
        sum(duration_s) as calendar_s,
        coalesce(sum(duration_s) filter (where time_group = 'APT'), 0e0) as apt_s,
        coalesce(sum(duration_s) filter (where time_group = 'ADET'), 0e0) as adet_s,
        max(duration_s) filter (where step = 'effective') as effective_s
    from {{ ref("loss_waterfall") }}
    where {{ just_written("production_week_start", "int_touched_machine_week") }}
    group by production_date, machine_id
),

days as (
    select *
    from {{ ref("oee_by_machine_day") }}
    where {{ just_written("production_week_start", "int_touched_machine_week") }}
)

select *
from days
full outer join steps using (production_date, machine_id)
where
    not coalesce(
        abs(days.calendar_s - steps.calendar_s) <= 1e-5
        and abs(days.apt_s - steps.apt_s) <= 1e-5
        and abs(days.adet_s - steps.adet_s) <= 1e-5
        and abs(days.planned_run_time_good_s - steps.effective_s) <= 1e-5,
        false
    )
