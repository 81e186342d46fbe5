-- A record was lost or counted twice on its way from raw to test_attempt.
with

raw_weeks as (
    select
        production_week_start,
        count(*) as record_count
    from {{ ref("int_test_record_open") }}
    where {{ just_written_and_open("production_week_start") }} and {{ just_written_times("test_timestamp_local") }}
    group by all
),

-- attempts, those of modules whose load week is closed, and what came too late for these
counted as (
    select
        production_week_start,
        copy_count as record_count
    from {{ ref("test_attempt") }}
    union all
    select
        production_week_start,
        record_count
    from {{ ref("int_station_day") }}
    where not {{ is_open("load_week_start") }}
    union all
    select
        production_week_start,
        record_count
    from {{ ref("int_record_late") }}
),

mart_weeks as (
    select
        production_week_start,
        sum(record_count)::bigint as record_count
    from counted
    where {{ just_written_and_open("production_week_start") }}
    group by all
)

select
    coalesce(raw_weeks.production_week_start, mart_weeks.production_week_start) as production_week_start,
    raw_weeks.record_count as raw_count,
    mart_weeks.record_count as mart_count
from raw_weeks
full outer join mart_weeks on raw_weeks.production_week_start = mart_weeks.production_week_start
where coalesce(raw_weeks.record_count, 0) <> coalesce(mart_weeks.record_count, 0)
