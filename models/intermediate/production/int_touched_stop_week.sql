-- Weeks in which a stop may look different: it began in a touched week, reaches into one, or what ran before or after it
-- may lie in one (stop looks seven days back and ahead).
with

touched as (
    select week_start from {{ ref("int_touched_machine_week") }}
),

near as (
    select week_start from touched
    union
    select (week_start - interval '7 days')::date as week_start from touched
    union
    select (week_start + interval '7 days')::date as week_start from touched
),

intervals as (
    select * from {{ ref("int_machine_interval") }} where stop_started_at is not null
),

reaching as (
    select distinct
        machine_id,
        stop_started_at
    from intervals
    where
        production_week_start in (select week_start from near)
        and stop_started_at < started_at
),

final as (
    select week_start from near
    union
    select intervals.production_week_start as week_start
    from intervals
    inner join reaching
        on intervals.machine_id = reaching.machine_id
        and intervals.started_at = reaching.stop_started_at
)

select * from final
