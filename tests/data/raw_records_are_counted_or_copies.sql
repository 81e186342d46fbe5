-- A record was lost or counted twice on its way from raw to test_attempt.
with

raw_weeks as (
    select
        production_week_start,
        count(*) as record_count
    from {{ ref("int_test_record_dated") }}
    where {{ just_written("production_week_start") }}
    group by all
),

mart_weeks as (
    select
        production_week_start,
        sum(copy_count)::bigint as record_count
    from {{ ref("test_attempt") }}
    where {{ just_written("production_week_start") }}
    group by all
)

select
    coalesce(raw_weeks.production_week_start, mart_weeks.production_week_start) as production_week_start,
    raw_weeks.record_count as raw_count,
    mart_weeks.record_count as mart_count
from raw_weeks
full outer join mart_weeks on raw_weeks.production_week_start = mart_weeks.production_week_start
where coalesce(raw_weeks.record_count, 0) <> coalesce(mart_weeks.record_count, 0)
