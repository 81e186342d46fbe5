-- Two tables tell different stories: attempts of a week, product and test differ between test_attempt and a summary.
with

attempts as (
    select
        load_week_start,
        product_name,
        test_name,
        count(run_number) as test_count,
        count(*) filter (where run_number > 0 and test_result = 'pass') as pass_count,
        count(*) filter (where run_number > 0 and test_result = 'fail') as fail_count
    from {{ ref("test_attempt") }}
    where {{ just_written_and_open("load_week_start") }}
    group by all
    having count(run_number) > 0
),

by_test as (
    select
        load_week_start,
        product_name,
        test_name,
        test_qty as test_count,
        test_qty_pass as pass_count
    from {{ ref("summary_prod_test") }}
    where {{ just_written_and_open("load_week_start") }}
),

by_machine as (
    select
        load_week_start,
        product_name,
        test_name,
        sum(test_count)::bigint as test_count,
        sum(pass_count)::bigint as pass_count
    from {{ ref("summary_machine") }}
    where {{ just_written_and_open("load_week_start") }}
    group by all
),

pareto as (
    select
        load_week_start,
        product_name,
        test_name,
        sum(fail_count)::bigint as fail_count
    from {{ ref("failure_pareto") }}
    where {{ just_written_and_open("load_week_start") }}
    group by all
)

select *
from attempts
full outer join by_test using (load_week_start, product_name, test_name)
full outer join by_machine using (load_week_start, product_name, test_name)
full outer join pareto using (load_week_start, product_name, test_name)
where not coalesce(
    attempts.test_count = by_test.test_count
    and attempts.pass_count = by_test.pass_count
    and attempts.test_count = by_machine.test_count
    and attempts.pass_count = by_machine.pass_count
    and attempts.fail_count = coalesce(pareto.fail_count, 0),
    false
)
