{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_week') }}",
) }}

with

attempts as (
    select
        *,
        lag(test_timestamp) over module as previous_timestamp,
        lag(test_duration_s) over module as previous_duration_s
    from {{ ref("test_attempt") }}
    where attempt_number > 0 and {{ in_touched_weeks("load_week_start") }}
    window module as (partition by serial_num, product_name, life_number order by attempt_number)
),

arrivals as (
    select
        load_week,
        load_week_start,
        product_name,
        test_name,
        {{ seconds_between("previous_timestamp", "test_timestamp") }} - previous_duration_s as gap_s,
        row_number() over (partition by serial_num, product_name, life_number, test_name order by attempt_number)
            as visit
    from attempts
),

-- where overlapping records would have a module wait less than nothing, it did not wait
queued as (
    select
        *,
        case when gap_s < 0e0 then 0e0 else gap_s end as queue_s
    from arrivals
    where visit = 1
),

final as (
    select
        load_week,
        load_week_start,
        product_name,
        test_name,
        count(*) as module_count,
        count(queue_s) as queue_count,
        count(*) filter (where gap_s < 0) as overlap_count,
        sum(queue_s) as queue_sum_s,
        {{ ratio("sum(queue_s)", "count(queue_s)") }} as mean_queue_s,
        median(queue_s) as median_queue_s,
        percentile_cont(0.9) within group (order by queue_s) as p90_queue_s
    from queued
    group by load_week, load_week_start, product_name, test_name
)

select * from final
