-- One row per module: how far its attempts brought it. Incremental by module; module_status adds what is decided
-- elsewhere (the length of the route, dispositions).
{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    meta={"detail": true},
    pre_hook="{{ clear_touched_modules('int_touched_module_week') }}",
) }}

with

attempts as (
    select *
    from {{ ref("test_attempt") }}
    where attempt_number > 0 and {{ in_touched_modules("load_week_start", "int_touched_module_week") }}
),

routes as (
    select
        product_name,
        test_name,
        max_attempts,
        case when not is_inferred then rank() over (partition by product_name order by sequence) end as position
    from {{ ref("int_route") }}
),

reworks as (
    select * from {{ ref("int_rework_deduplicated") }}
),

-- repairs before the attempt began: fails are counted anew after each
reworks_counted as (
    select
        attempts.serial_num,
        attempts.test_timestamp,
        count(distinct reworks.rework_key) as rework_number
    from attempts
    inner join reworks
        on attempts.serial_num = reworks.serial_num
        and attempts.test_timestamp >= reworks.rework_timestamp
    group by all
),

tests_counted as (
    select
        attempts.serial_num,
        attempts.product_name,
        attempts.life_number,
        attempts.load_week_start,
        attempts.load_week,
        attempts.test_name,
        coalesce(reworks_counted.rework_number, 0) as rework_number,
        min(attempts.test_timestamp) as first_tested_at,
        max(attempts.test_timestamp) as last_tested_at,
        max(attempts.attempt_number) as last_number,
        max_by(attempts.test_result, attempts.attempt_number) as last_test_result,
        max_by(attempts.machine_id, attempts.attempt_number) as last_machine_id,
        count(*) as attempt_count,
        count(attempts.run_number) as run_count,
        count(*) filter (where attempts.run_number > 0 and attempts.test_result = 'fail') as fail_count,
        max(attempts.attempt_number) filter (where attempts.run_number > 0 and attempts.test_result = 'fail')
            as last_fail_number,
        count(*) filter (where attempts.run_number = 1) as first_runs,
        count(*) filter (where attempts.run_number = 1 and attempts.test_result = 'pass') as first_passes,
        count(*) filter (where attempts.is_last_run and attempts.test_result = 'pass') as last_passes
    from attempts
    left join reworks_counted
        on attempts.serial_num = reworks_counted.serial_num
        and attempts.test_timestamp = reworks_counted.test_timestamp
    group by all
),

on_route as (
    select
        tests_counted.*,
        routes.position,
        routes.test_name is not null as is_on_route,
        -- of the tests before this one on the route, fewer were reached than there are
        tests_counted.first_runs > 0 and routes.position > rank() over (
            partition by
                tests_counted.serial_num,
                tests_counted.product_name,
                tests_counted.life_number,
                tests_counted.first_runs > 0 and routes.position is not null
            order by routes.position asc nulls last
        ) as is_escape,
        tests_counted.fail_count >= coalesce(routes.max_attempts, {{ var("max_attempts") }}) as is_exhausted,
        tests_counted.fail_count > coalesce(routes.max_attempts, {{ var("max_attempts") }}) as is_over_exhausted
    from tests_counted
    left join routes
        on tests_counted.product_name = routes.product_name
        and tests_counted.test_name = routes.test_name
),

-- between two repairs a module that used up its attempts at a test should see no further one
stages_counted as (
    select
        serial_num,
        product_name,
        life_number,
        load_week_start,
        load_week,
        rework_number,
        min(first_tested_at) as first_tested_at,
        max(last_tested_at) as last_tested_at,
        max(last_number) as last_number,
        max_by(test_name, last_number) as last_test_name,
        max_by(last_test_result, last_number) as last_test_result,
        max_by(last_machine_id, last_number) as last_machine_id,
        sum(attempt_count)::bigint as attempt_count,
        sum(run_count)::bigint as run_count,
        sum(fail_count)::bigint as fail_count,
        max(last_fail_number) filter (where is_exhausted) as exhausted_number,
        bool_or(is_over_exhausted) as is_over_exhausted,
        min(last_fail_number) filter (where is_exhausted) as first_exhausted_number,
        bool_or(is_escape) as is_escape,
        sum(first_runs) filter (where is_on_route)::bigint as tests_reached,
        sum(first_passes) filter (where is_on_route)::bigint as tests_first_passed,
        sum(last_passes) filter (where is_on_route)::bigint as tests_last_passed
    from on_route
    group by all
),

final as (
    select
        serial_num,
        product_name,
        life_number,
        load_week_start,
        load_week,
        min(first_tested_at) as first_tested_at,
        max(last_tested_at) as last_tested_at,
        max_by(last_test_name, last_number) as last_test_name,
        max_by(last_test_result, last_number) as last_test_result,
        max_by(last_machine_id, last_number) as last_machine_id,
        sum(attempt_count)::bigint as attempt_count,
        sum(run_count)::bigint as run_count,
        sum(fail_count)::bigint as fail_count,
        coalesce(sum(tests_reached), 0)::bigint as tests_reached,
        coalesce(sum(tests_first_passed), 0)::bigint as tests_first_passed,
        coalesce(sum(tests_last_passed), 0)::bigint as tests_last_passed,
        coalesce(max(exhausted_number) = max(last_number), false) as is_exhausted,
        coalesce(bool_or(is_over_exhausted or first_exhausted_number < last_number), false) as is_reopened,
        coalesce(bool_or(is_escape), false) as is_route_escape
    from stages_counted
    group by all
)

select * from final
