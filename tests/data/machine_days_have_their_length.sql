-- Time was lost, or told twice: the buckets of a machine's day do not sum to the length of that local day.
with

machine_days as (
    select
        machine_id,
        production_date,
        sum(duration_us)::bigint as duration_us
    from {{ ref("int_machine_interval") }}
    {% if not var("verify_everything") %}
        where production_week_start in (select week_start from {{ ref("int_touched_machine_week") }})
    {% endif %}
    group by machine_id, production_date
),

summed as (
    select
        machine_id,
        production_date,
        sum(apt_s + aust_s + adet_s + adot_s + planned_downtime_s + unscheduled_s + no_data_s) as duration_s
    from {{ ref("int_machine_time") }}
    {% if not var("verify_everything") %}
        where production_week_start in (select week_start from {{ ref("int_touched_machine_week") }})
    {% endif %}
    group by machine_id, production_date
)

select
    machine_days.machine_id,
    machine_days.production_date,
    machine_days.duration_us,
    summed.duration_s
from machine_days
inner join {{ ref("stg_calendar_day") }} as days on machine_days.production_date = days.production_date
full outer join summed
    on machine_days.machine_id = summed.machine_id
    and machine_days.production_date = summed.production_date
where
    not coalesce(
        machine_days.duration_us = {{ microseconds_between("days.day_start_at", "days.day_end_at") }}
        and abs(summed.duration_s * 1e6 - machine_days.duration_us) < 0.5,
        false
    )
