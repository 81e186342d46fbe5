-- A station's day lacks attempts or has too many: station_day and test_attempt differ in a production week.
with

in_open_load_weeks as (
    select
        production_week_start,
        count(run_number) as attempt_count,
        count(*) filter (where run_number = 1) as first_run_count,
        count(*) filter (where run_number is null) as other_count
    from {{ ref("test_attempt") }}
    where {{ just_written_and_open("production_week_start") }}
    group by all
),

in_closed_load_weeks as (
    select
        production_week_start,
        sum(attempt_count)::bigint as attempt_count,
        sum(first_run_count)::bigint as first_run_count,
        sum(error_count + abort_count + other_purpose_count)::bigint as other_count
    from {{ ref("int_station_day") }}
    where not {{ is_open("load_week_start") }} and {{ just_written_and_open("production_week_start") }}
    group by all
),

attempts as (
    select
        production_week_start,
        sum(attempt_count)::bigint as attempt_count,
        sum(first_run_count)::bigint as first_run_count,
        sum(other_count)::bigint as other_count
    from (
        select * from in_open_load_weeks
        union all
        select * from in_closed_load_weeks
    ) as parts
    group by all
),

stations as (
    select
        production_week_start,
        sum(attempt_count)::bigint as attempt_count,
        sum(first_run_count)::bigint as first_run_count,
        sum(error_count + abort_count + other_purpose_count)::bigint as other_count
    from {{ ref("station_day") }}
    where {{ just_written_and_open("production_week_start") }}
    group by all
)

select *
from attempts
full outer join stations using (production_week_start)
where not coalesce(
    attempts.attempt_count = stations.attempt_count
    and attempts.first_run_count = stations.first_run_count
    and attempts.other_count = stations.other_count,
    false
)
