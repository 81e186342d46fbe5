{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    pre_hook="{{ clear_touched_weeks() }}",
) }}

with

runs as (
    select *
    from {{ ref("test_attempt") }}
    where run_number > 0 and {{ in_touched_weeks("load_week_start") }}
),

counted as (
    select
        load_week,
        load_week_start,
        product_name,
        test_name,
        machine_id,
        count(*) as test_count,
        count(*) filter (where test_result = 'pass') as pass_count,
        {{ duration_parts("true") }}
    from runs
    group by all
),

final as (
    select
        load_week,
        load_week_start,
        product_name,
        test_name,
        machine_id,
        test_count,
        pass_count,
        {{ ratio("pass_count", "test_count") }} as passing_rate,
        {{ wilson_low("pass_count", "test_count") }} as passing_rate_low,
        {{ wilson_high("pass_count", "test_count") }} as passing_rate_high,
        pass_duration_count,
        pass_duration_sum_s,
        fail_duration_count,
        fail_duration_sum_s,
        {{ ratio("pass_duration_sum_s", "pass_duration_count") }} as avg_test_duration_pass_s,
        {{ ratio("fail_duration_sum_s", "fail_duration_count") }} as avg_test_duration_fail_s
    from counted
)

select * from final
