with

product_tests as (
    select * from {{ ref("int_product_test_week") }} where test_qty > 0
),

product_weeks as (
    select * from {{ ref("int_product_week_matured") }}
),

final as (
    select
        product_tests.load_week,
        product_tests.load_week_start,
        product_tests.product_name,
        product_tests.test_name,

        -- modules
        product_tests.load_qty,
        product_tests.first_pass_qty,
        product_tests.cumm_pass_qty,
        {{ ratio("product_tests.first_pass_qty", "product_tests.load_qty") }} as first_pass_yield,
        {{ wilson_low("product_tests.first_pass_qty", "product_tests.load_qty") }} as first_pass_yield_low,
        {{ wilson_high("product_tests.first_pass_qty", "product_tests.load_qty") }} as first_pass_yield_high,
        {{ ratio("product_tests.cumm_pass_qty", "product_tests.load_qty") }} as cumm_yield,
        {{ wilson_low("product_tests.cumm_pass_qty", "product_tests.load_qty") }} as cumm_yield_low,
        {{ wilson_high("product_tests.cumm_pass_qty", "product_tests.load_qty") }} as cumm_yield_high,

        -- attempts
        product_tests.test_qty,
        product_tests.test_qty_pass,
        product_tests.retest_module_qty,
        product_tests.retest_pass_qty,
        {{ ratio("product_tests.retest_pass_qty", "product_tests.retest_module_qty") }} as retest_pass_rate,
        product_tests.pass_duration_count,
        product_tests.pass_duration_sum_s,
        product_tests.fail_duration_count,
        product_tests.fail_duration_sum_s,
        {{ ratio("product_tests.pass_duration_sum_s", "product_tests.pass_duration_count") }}
            as avg_test_duration_pass_s,
        {{ ratio("product_tests.fail_duration_sum_s", "product_tests.fail_duration_count") }}
            as avg_test_duration_fail_s,
        product_weeks.is_mature
    from product_tests
    inner join product_weeks
        on product_tests.load_week_start = product_weeks.load_week_start
        and product_tests.product_name = product_weeks.product_name
)

select * from final
