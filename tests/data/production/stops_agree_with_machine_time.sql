-- A stop is missing, counted twice, or in another week than its machine time: stop, downtime_pareto and
-- int_machine_time differ in the number of stops (setup is none) or failures of a machine's week.
with

counted as (
    select
        'int_machine_time' as source,
        production_week_start,
        machine_id,
        stop_count,
        failure_count
    from {{ ref("int_machine_time") }}
    union all
    select
        'stop' as source,
        production_week_start,
        machine_id,
        case when is_continued or time_group = 'AUST' then 0 else 1 end as stop_count,
        case when is_failure and not is_continued then 1 else 0 end as failure_count
    from {{ ref("stop") }}
    union all
    select
        'downtime_pareto' as source,
        production_week_start,
        machine_id,
        case when time_group = 'AUST' then 0 else stop_count end as stop_count,
        failure_count
    from {{ ref("downtime_pareto") }}
),

weeks as (
    select
        source,
        production_week_start,
        machine_id,
        sum(stop_count) as stop_count,
        sum(failure_count) as failure_count
    from counted
    where {{ just_written("production_week_start", "int_touched_machine_week") }}
    group by source, production_week_start, machine_id
)

select
    production_week_start,
    machine_id,
    min(stop_count) as least_stop_count,
    max(stop_count) as greatest_stop_count,
    min(failure_count) as least_failure_count,
    max(failure_count) as greatest_failure_count
from weeks
group by production_week_start, machine_id
having min(stop_count) <> max(stop_count) or min(failure_count) <> max(failure_count)
