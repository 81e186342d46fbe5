{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_module_week') }}",
) }}

with

attempts as (
    select *
    from {{ ref("test_attempt") }}
    where attempt_number > 0 and {{ in_touched_weeks("load_week_start", "int_touched_module_week") }}
),

finished as (
    select *
    from {{ ref("module_status") }}
    where status = 'finished' and {{ in_touched_weeks("load_week_start", "int_touched_module_week", of_view=true) }}
),

modules as (
    select
        attempts.load_week,
        attempts.load_week_start,
        attempts.product_name,
        attempts.serial_num,
        attempts.life_number,
        max({{ seconds_between("finished.first_tested_at", "attempts.test_timestamp") }} + attempts.test_duration_s)
            as cycle_s,
        sum(attempts.test_duration_s) as test_s
    from attempts
    inner join finished
        on attempts.load_week_start = finished.load_week_start
        and attempts.serial_num = finished.serial_num
        and attempts.product_name = finished.product_name
        and attempts.life_number = finished.life_number
    group by all
),

final as (
    select
        load_week,
        load_week_start,
        product_name,
        count(*) as finished_count,
        sum(cycle_s) as cycle_sum_s,
        sum(test_s) as test_sum_s,
        {{ ratio("sum(cycle_s)", "count(*)") }} as mean_cycle_s,
        median(cycle_s) as median_cycle_s,
        percentile_cont(0.9) within group (order by cycle_s) as p90_cycle_s,
        {{ ratio("sum(test_s)", "sum(cycle_s)") }} as process_ratio
    from modules
    group by load_week, load_week_start, product_name
)

select * from final
