with

yields as (
    select * from {{ ref("summary_prod_test") }}
),

steps as (
    select * from {{ ref("route_step") }}
),

final as (
    select
        yields.load_week,
        yields.load_week_start,
        yields.product_name,
        yields.test_name,
        steps.sequence,
        yields.load_qty,
        yields.first_pass_qty,
        yields.cumm_pass_qty,
        yields.first_pass_yield,
        yields.first_pass_yield_low,
        yields.first_pass_yield_high,
        yields.cumm_yield,
        yields.cumm_yield_low,
        yields.cumm_yield_high,
        yields.test_qty,
        yields.test_qty_pass,
        yields.retest_module_qty,
        yields.retest_pass_qty,
        yields.retest_pass_rate,
        yields.pass_duration_count,
        yields.pass_duration_sum_s,
        yields.fail_duration_count,
        yields.fail_duration_sum_s,
        yields.avg_test_duration_pass_s,
        yields.avg_test_duration_fail_s,
        yields.is_mature
    from yields
    left join steps
        on yields.product_name = steps.product_name
        and yields.test_name = steps.test_name
)

select * from final
