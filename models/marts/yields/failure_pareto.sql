{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    pre_hook="{{ clear_touched_weeks() }}",
) }}

with

failures as (
    select
        *,
        coalesce(error_code, '(none)') as failure_code
    from {{ ref("test_attempt") }}
    where run_number > 0 and test_result = 'fail' and {{ in_touched_weeks("load_week_start") }}
),

counted as (
    select
        load_week,
        load_week_start,
        product_name,
        test_name,
        failure_code as error_code,
        count(*) as fail_count,
        count(distinct concat(serial_num, chr(31), life_number::string)) as module_qty
    from failures
    group by all
),

ranked as (
    select
        *,
        (row_number() over (
            partition by load_week_start, product_name, test_name
            order by fail_count desc, error_code asc
        ))::bigint as pareto_rank,
        sum(fail_count) over (partition by load_week_start, product_name, test_name) as fail_total,
        sum(fail_count) over (
            partition by load_week_start, product_name, test_name
            order by fail_count desc, error_code asc
            rows between unbounded preceding and current row
        ) as fail_running
    from counted
),

final as (
    select
        load_week,
        load_week_start,
        product_name,
        test_name,
        error_code,
        pareto_rank,
        fail_count,
        module_qty,
        {{ ratio("fail_count", "fail_total") }} as fail_share,
        {{ ratio("fail_running", "fail_total") }} as cumulative_share
    from ranked
)

select * from final
