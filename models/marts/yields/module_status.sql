-- A view where it can be: the rows of int_module_progressed, with the route, repairs and decisions as they stand.
with

modules as (
    select * from {{ ref("int_module_progressed") }}
),

routes as (
    select
        product_name,
        count(*) as tests_on_route
    from {{ ref("int_route") }}
    group by all
),

reworks as (
    select * from {{ ref("int_module_reworked") }}
),

decisions as (
    select * from {{ ref("int_module_decided") }}
),

scrap_tested as (
    select * from {{ ref("int_module_scrap_tested") }}
),

joined as (
    select
        modules.*,
        coalesce(routes.tests_on_route, 0) as tests_on_route,
        coalesce(reworks.rework_events, 0) as rework_events,
        greatest(modules.last_tested_at, coalesce(reworks.last_reworked_at, modules.last_tested_at)) as last_touched_at,
        decisions.decision as last_decision,
        coalesce(decisions.decision = 'scrap' and decisions.decided_at >= modules.last_tested_at, false)
            as is_scrap_decided,
        scrap_tested.serial_num is not null as is_scrap_tested
    from modules
    left join routes on modules.product_name = routes.product_name
    left join reworks
        on modules.serial_num = reworks.serial_num
        and modules.product_name = reworks.product_name
        and modules.life_number = reworks.life_number
    left join decisions
        on modules.serial_num = decisions.serial_num
        and modules.product_name = decisions.product_name
        and modules.life_number = decisions.life_number
    left join scrap_tested
        on modules.serial_num = scrap_tested.serial_num
        and modules.product_name = scrap_tested.product_name
        and modules.life_number = scrap_tested.life_number
),

final as (
    select
        -- keys
        serial_num,
        product_name,
        life_number,

        -- calendar
        load_week,
        load_week_start,
        first_tested_at,
        last_tested_at,
        last_touched_at,

        -- status
        case
            when is_scrap_decided then 'scrap'
            when is_exhausted and last_touched_at = last_tested_at then 'scrap'
            when tests_on_route > 0 and tests_last_passed = tests_on_route then 'finished'
            else 'work_in_progress'
        end as status,
        last_test_name,
        last_test_result,
        last_machine_id,
        last_decision,

        -- progress
        tests_on_route,
        tests_reached,
        tests_first_passed,
        tests_last_passed,
        tests_on_route > 0 and tests_first_passed = tests_on_route as is_unit_first_pass,

        -- attempts
        attempt_count,
        run_count,
        fail_count,
        rework_events,

        -- findings
        is_reopened or is_scrap_tested as is_reopened,
        is_route_escape
    from joined
)

select * from final
