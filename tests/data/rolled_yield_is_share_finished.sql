-- The rolled cumm_yield and the modules counted one by one disagree. They must be equal where every module of the week
-- is finished or scrap, none was repaired, reopened, skipped a test or went on after a fail, and the route is on file
-- and has one order.
with

steps as (
    select
        tests.load_week_start,
        tests.product_name,
        tests.load_qty,
        lag(tests.cumm_pass_qty) over (
            partition by tests.load_week_start, tests.product_name
            order by routes.sequence
        ) as passed_before
    from {{ ref("summary_prod_test") }} as tests
    inner join {{ ref("int_route") }} as routes
        on tests.product_name = routes.product_name
        and tests.test_name = routes.test_name
),

irregular as (
    select distinct
        load_week_start,
        product_name
    from {{ ref("module_status") }}
    where
        {{ just_written_and_open("load_week_start") }}
        and (is_reopened or is_route_escape or (status = 'scrap' and tests_last_passed <> tests_reached - 1))
    union
    -- a module went on after a fail, or came back to an earlier test
    select
        load_week_start,
        product_name
    from steps
    where load_qty <> passed_before
),

without_order as (
    select product_name from {{ ref("int_finding_name") }} where finding in ('test_off_route', 'inferred_route')
    union
    select product_name from {{ ref("int_route") }} group by product_name, sequence having count(*) > 1
)

select weeks.*
from {{ ref("summary_prod") }} as weeks
left join irregular
    on weeks.load_week_start = irregular.load_week_start
    and weeks.product_name = irregular.product_name
where
    {{ just_written_and_open("weeks.load_week_start") }}
    and weeks.wip_qty = 0
    and weeks.rework_qty = 0
    and irregular.product_name is null
    and weeks.product_name not in (select product_name from without_order)
    and abs(weeks.cumm_yield - {{ ratio("weeks.finished_qty", "weeks.load_qty") }}) > 1e-9
