with

product_weeks as (
    select * from {{ ref("int_product_week_matured") }}
),

product_tests as (
    select * from {{ ref("summary_prod_test") }}
),

routes as (
    select * from {{ ref("int_route_week") }}
),

routes_counted as (
    select
        load_week_start,
        product_name,
        count(*) as tests_on_route
    from routes
    group by all
),

-- rolled over the tests of the route; a test that no module has reached yet is not a factor
rolled as (
    select
        product_tests.load_week_start,
        product_tests.product_name,
        count(*) as tests_reached,
        min(product_tests.load_qty) as min_test_load_qty,
        {{ product_of("product_tests.first_pass_yield") }} as first_pass_yield,
        {{ product_of("product_tests.cumm_yield") }} as cumm_yield,
        sqrt(sum({{ log_variance("product_tests.first_pass_yield", "product_tests.load_qty") }}))
            as first_pass_log_error,
        sqrt(sum({{ log_variance("product_tests.cumm_yield", "product_tests.load_qty") }})) as cumm_log_error
    from product_tests
    inner join routes
        on product_tests.load_week_start = routes.load_week_start
        and product_tests.product_name = routes.product_name
        and product_tests.test_name = routes.test_name
    group by all
),

final as (
    select
        product_weeks.load_week,
        product_weeks.load_week_start,
        product_weeks.product_name,
        product_weeks.load_qty,

        -- rolled throughput yield
        rolled.min_test_load_qty,
        coalesce(rolled.tests_reached, 0) as tests_reached,
        coalesce(routes_counted.tests_on_route, 0) as tests_on_route,
        rolled.first_pass_yield,
        {{ log_bound("rolled.first_pass_yield", "rolled.first_pass_log_error", "-") }} as first_pass_yield_low,
        {{ log_bound("rolled.first_pass_yield", "rolled.first_pass_log_error", "+") }} as first_pass_yield_high,
        rolled.cumm_yield,
        {{ log_bound("rolled.cumm_yield", "rolled.cumm_log_error", "-") }} as cumm_yield_low,
        {{ log_bound("rolled.cumm_yield", "rolled.cumm_log_error", "+") }} as cumm_yield_high,

        -- modules
        product_weeks.unit_first_pass_qty,
        case
            when product_weeks.is_mature
                then {{ ratio("product_weeks.unit_first_pass_qty", "product_weeks.load_qty") }}
        end as unit_first_pass_yield,
        product_weeks.finished_qty,
        product_weeks.scrap_qty,
        product_weeks.wip_qty,
        product_weeks.rework_qty,
        product_weeks.rework_events,
        product_weeks.is_mature
    from product_weeks
    left join rolled
        on product_weeks.load_week_start = rolled.load_week_start
        and product_weeks.product_name = rolled.product_name
    left join routes_counted
        on product_weeks.load_week_start = routes_counted.load_week_start
        and product_weeks.product_name = routes_counted.product_name
)

select * from final
