"""A published DuckDB file to test the reports against: the marts of a list of attempts, in plain SQL.

It stands in for `published/marts.duckdb` without a pipeline run. The reports read figures, they don't make them, so
what matters here is that names, types and parts are those of the real marts.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

MADE_UP = """
    select
        'S' || product_no || lpad(module_no::varchar, 5, '0') as serial_num,
        ($products::varchar[])[product_no] as product_name,
        ($tests::varchar[])[test_no] as test_name,
        'M' || test_no || '-' || (1 + hash(module_no, test_no, 7) % 2) as machine_id,
        timestamp '2024-01-01 08:00:00' + to_days(7 * (week_no - 1)::int) + to_minutes(module_no % 60)
            + to_hours(6 * test_no::int) + to_minutes(20 * run_no::int) as started_at,
        run_no > fails as passed,
        case when run_no <= fails
            then ($codes::varchar[])[1 + (hash(module_no, test_no, run_no) % len($codes::varchar[]))::int] end
            as error_code,
        case when run_no > fails then 60e0 + 10 * test_no + (module_no % 7) else 20e0 + (module_no % 5) end
            as duration_s
    from (
        select
            *,
            case when hash(module_no, product_no, test_no) % 100 < 80 then 0
                when hash(module_no, product_no, test_no) % 100 < 92 then 1
                when hash(module_no, product_no, test_no) % 100 < 97 then 2 else 3 end as fails
        from
            range(1, len($products::varchar[]) + 1) as p (product_no),
            range(1, len($tests::varchar[]) + 1) as t (test_no),
            range(1, $weeks + 1) as w (week_no),
            (select unnest(range($modules)) as module_in_week),
            lateral (select week_no * 1000 + module_in_week + product_no * 37 as module_no)
    ), range(1, 4) as r (run_no)
    where run_no <= least(fails + 1, 3)
        and not exists (
            select 1 from range(1, test_no) as earlier (no) where hash(module_no, product_no, earlier.no) % 100 >= 97
        )
"""

REAL = """
    select SerialNum as serial_num, ProductName as product_name, TestName as test_name, MachineID as machine_id,
        TestTimeStamp as started_at, TestResult = 'PASS' as passed,
        case when TestResult = 'PASS' then null else 'unknown' end as error_code, TestDuration_s as duration_s
    from read_parquet($file)
"""

MARTS = """
create macro z() as 1.959963984540054e0;
create macro wilson(passed, n, sign) as case when n > 0 then (
    passed / n::double + z() * z() / (2 * n)
    + sign * z() * sqrt((passed / n::double * (1 - passed / n::double) + z() * z() / (4 * n)) / n)
) / (1 + z() * z() / n) end;

create temp table test_attempt as
with runs as (
    select *,
        row_number() over (partition by serial_num, product_name, test_name order by started_at, machine_id) as run,
        date_trunc('week', min(started_at) over (partition by serial_num, product_name) - interval 7 hour)::date
            as load_week_start
    from attempt
)
select *, strftime(load_week_start, '%G-W%V') as load_week,
    run = max(run) over (partition by serial_num, product_name, test_name) as is_last
from runs;

create table route_step as
select product_name, test_name, row_number() over (partition by product_name order by reached) as sequence,
    true as is_inferred
from (select product_name, test_name, avg(epoch(started_at) - epoch(load_week_start::timestamp)) as reached
      from test_attempt group by all);

create temp table module as
with tests as (
    select load_week, load_week_start, product_name, serial_num, test_name, bool_or(run = 1 and passed) as first_passed,
        bool_or(is_last and passed) as last_passed, count_if(not passed) as fails
    from test_attempt group by all
), modules as (
    select load_week, load_week_start, product_name, serial_num, count(*) as tests,
        bool_and(first_passed) as first_passed, bool_and(last_passed) as passed,
        max(case when last_passed then 0 else fails end) as fails
    from tests group by all
)
select modules.*, on_route, tests = on_route and first_passed as is_unit_first_pass,
    tests = on_route and passed as is_finished, fails >= 3 as is_scrap
from modules join (select product_name, count(*) as on_route from route_step group by all) using (product_name);

create table summary_prod_test as
with per_module as (
    select load_week, load_week_start, product_name, test_name, serial_num, bool_or(run = 1 and passed) as first_passed,
        bool_or(is_last and passed) as last_passed, count(*) as runs, count_if(passed) as passes,
        count_if(run = 2) as retested, count_if(run = 2 and passed) as retest_passed,
        coalesce(sum(duration_s) filter (where passed), 0) as pass_s,
        coalesce(sum(duration_s) filter (where not passed), 0) as fail_s
    from test_attempt group by all
), parts as (
    select load_week, load_week_start, product_name, test_name, count(*) as load_qty,
        count_if(first_passed)::bigint as first_pass_qty, count_if(last_passed)::bigint as cumm_pass_qty,
        sum(runs)::bigint as test_qty, sum(passes)::bigint as test_qty_pass, sum(retested)::bigint as retest_module_qty,
        sum(retest_passed)::bigint as retest_pass_qty, sum(passes)::bigint as pass_duration_count,
        sum(pass_s) as pass_duration_sum_s, sum(runs - passes)::bigint as fail_duration_count,
        sum(fail_s) as fail_duration_sum_s
    from per_module group by all
)
select load_week, load_week_start, product_name, test_name, load_qty, first_pass_qty, cumm_pass_qty,
    first_pass_qty / load_qty as first_pass_yield, wilson(first_pass_qty, load_qty, -1) as first_pass_yield_low,
    wilson(first_pass_qty, load_qty, 1) as first_pass_yield_high, cumm_pass_qty / load_qty as cumm_yield,
    wilson(cumm_pass_qty, load_qty, -1) as cumm_yield_low, wilson(cumm_pass_qty, load_qty, 1) as cumm_yield_high,
    test_qty, test_qty_pass, retest_module_qty, retest_pass_qty,
    retest_pass_qty / nullif(retest_module_qty, 0) as retest_pass_rate, pass_duration_count, pass_duration_sum_s,
    fail_duration_count, fail_duration_sum_s,
    pass_duration_sum_s / nullif(pass_duration_count, 0) as avg_test_duration_pass_s,
    fail_duration_sum_s / nullif(fail_duration_count, 0) as avg_test_duration_fail_s,
    load_week < (select max(load_week) from test_attempt) as is_mature
from parts order by all;

create table summary_machine as
select load_week, load_week_start, product_name, test_name, machine_id, count(*) as test_count,
    count_if(passed)::bigint as pass_count, pass_count / test_count as passing_rate,
    wilson(pass_count, test_count, -1) as passing_rate_low, wilson(pass_count, test_count, 1) as passing_rate_high,
    pass_count as pass_duration_count, coalesce(sum(duration_s) filter (where passed), 0) as pass_duration_sum_s,
    test_count - pass_count as fail_duration_count,
    coalesce(sum(duration_s) filter (where not passed), 0) as fail_duration_sum_s,
    avg(duration_s) filter (where passed) as avg_test_duration_pass_s,
    avg(duration_s) filter (where not passed) as avg_test_duration_fail_s
from test_attempt group by all order by all;

create table summary_prod as
with rolled as (
    select load_week, load_week_start, product_name, min(load_qty) as min_test_load_qty,
        product(first_pass_yield) as first_pass_yield, product(cumm_yield) as cumm_yield, count(*) as tests_reached,
        sqrt(sum((1 - first_pass_yield) / nullif(first_pass_qty, 0))) as first_error,
        sqrt(sum((1 - cumm_yield) / nullif(cumm_pass_qty, 0))) as cumm_error
    from summary_prod_test group by all
), modules as (
    select load_week, product_name, count(*) as load_qty, any_value(on_route) as tests_on_route,
        count_if(is_unit_first_pass)::bigint as unit_first_pass_qty, count_if(is_finished)::bigint as finished_qty,
        count_if(is_scrap)::bigint as scrap_qty, count_if(not is_finished and not is_scrap)::bigint as wip_qty
    from module group by all
)
select load_week, load_week_start, product_name, load_qty, min_test_load_qty, first_pass_yield,
    case when first_pass_yield > 0 then first_pass_yield * exp(-z() * first_error) end as first_pass_yield_low,
    case when first_pass_yield > 0 then least(first_pass_yield * exp(z() * first_error), 1) end
        as first_pass_yield_high,
    cumm_yield, case when cumm_yield > 0 then cumm_yield * exp(-z() * cumm_error) end as cumm_yield_low,
    case when cumm_yield > 0 then least(cumm_yield * exp(z() * cumm_error), 1) end as cumm_yield_high,
    tests_reached, tests_on_route, unit_first_pass_qty,
    case when load_week < (select max(load_week) from test_attempt) then unit_first_pass_qty / load_qty end
        as unit_first_pass_yield,
    finished_qty, scrap_qty, wip_qty, 0::bigint as rework_qty, 0::bigint as rework_events,
    load_week < (select max(load_week) from test_attempt) as is_mature
from rolled join modules using (load_week, product_name) order by all;

create table station_day as
select (started_at - interval 7 hour)::date as production_date,
    date_trunc('week', started_at - interval 7 hour)::date as production_week_start, machine_id, product_name,
    test_name, count(*) as attempt_count,
    count_if(passed)::bigint as pass_count, 0::bigint as error_count, 0::bigint as abort_count,
    0::bigint as other_purpose_count,
    count_if(run = 1)::bigint as first_run_count, count_if(run = 1 and passed)::bigint as first_run_pass_count,
    pass_count as pass_duration_count, coalesce(sum(duration_s) filter (where passed), 0) as pass_duration_sum_s,
    attempt_count - pass_count as fail_duration_count,
    coalesce(sum(duration_s) filter (where not passed), 0) as fail_duration_sum_s
from test_attempt group by all order by all;

create table failure_pareto as
with fails as (
    select load_week, load_week_start, product_name, test_name, error_code, count(*) as fail_count,
        count(distinct serial_num) as module_qty
    from test_attempt where not passed group by all
)
select *, fail_count / sum(fail_count) over cell as fail_share,
    sum(fail_count) over (cell order by fail_count desc, error_code) / sum(fail_count) over cell as cumulative_share,
    row_number() over (cell order by fail_count desc, error_code) as pareto_rank
from fails window cell as (partition by load_week, product_name, test_name) order by all;

create table data_quality (
    finding varchar, severity varchar, table_name varchar, load_week varchar, product_name varchar, test_name varchar,
    machine_id varchar, detail varchar, finding_count bigint, example varchar
);
insert into data_quality
select 'duplicate_record', 'warning', 'test_record', max(load_week), any_value(product_name order by product_name),
    null, null, 'sent twice', 12, max(serial_num)
from test_attempt having count(*) > 0;

create view report_yield_product_test as
select summary_prod_test.*, sequence from summary_prod_test left join route_step using (product_name, test_name);
create view report_yield_product as from summary_prod;
create view report_yield_machine as from summary_machine;
create view report_station_day as from station_day;
create view report_failure_pareto as from failure_pareto;
create view report_data_quality as from data_quality;

create table report_role as
select unnest($roles, recursive := true);
create table report_yield_target (metric varchar, product_name varchar, test_name varchar, low double, reason varchar);

create table report_run as
select 'demo' as plant_name, 'Asia/Singapore' as timezone, 420::bigint as production_day_start_minutes,
    max(started_at) as as_of_local, (max(started_at) - interval 7 hour)::date as as_of_date,
    min(load_week) as load_week_first, max(load_week) as load_week_last,
    count(*) as record_count, 3::bigint as reject_count, (select count(*) from data_quality) as finding_count
from test_attempt;

comment on table summary_prod_test is 'One row per load week, product and test: yields by module.';
comment on table summary_prod is 'One row per load week and product: rolled and unit yields, outcomes.';
comment on table summary_machine is 'One row per load week, product, test and machine: passing rate of the station.';
comment on table station_day is 'One row per production date, machine, product and test.';
comment on column summary_prod_test.load_qty is 'Distinct modules that reached the test.';
comment on column summary_prod_test.first_pass_yield is 'Modules whose run 1 passed / load_qty.';
comment on column summary_prod.load_qty is 'Modules first tested in the load week.';
comment on column summary_prod.first_pass_yield is 'Product of the tests'' first pass yields over the route (rolled).';
comment on column summary_machine.passing_rate is 'Passed attempts / attempts.';
"""

PAGES = [
    "topline", "test", "product", "product_test", "sheet:summary_prod", "sheet:summary_prod_test",
    "sheet:summary", "sheet:summary_machine", "sheet:station_day", "sheet:failure_pareto", "sheet:data_quality",
]  # fmt: skip
ROLES = [{"role": "engineering", "page": page, "title": "Test engineering"} for page in PAGES]

TARGETS = [("first_pass_yield", None, None, 0.8, "demo"), ("passing_rate", None, "Init", 0.99, "demo")]
HOSTILE = ["<script>alert(1)</script>", "=1+1", "a\"b'c&d", "@SUM(A1)", "line\x07bell\ttab", "../../etc/passwd"]


def build_marts(
    published: Path,
    *,
    file: Path | None = None,
    products: Sequence[str] = ("Alpha", "Beta", "Gamma"),
    tests: Sequence[str] = ("Init", "Burn", "Final"),
    codes: Sequence[str] = ("E1 low power", "E2 no link", "E3"),
    weeks: int = 5,
    modules: int = 40,
    roles: Sequence[dict] = ROLES,
    targets: Sequence[tuple] = (),
) -> Path:
    """Writes `published/marts.duckdb`; gives `published`. `file`: Parquet of real test records, not made-up ones."""
    published.mkdir(parents=True, exist_ok=True)
    target = published / "marts.duckdb"
    target.unlink(missing_ok=True)
    with duckdb.connect(str(target)) as connection:
        if file:
            connection.execute("create temp table attempt as " + REAL, {"file": str(file)})
        else:
            values = {"products": list(products), "tests": list(tests), "codes": list(codes)}
            values |= {"weeks": weeks, "modules": modules}
            connection.execute("create temp table attempt as " + MADE_UP, values)
        rows = list(roles) or [{"role": None, "page": None, "title": None}]
        for statement in duckdb.extract_statements(MARTS):
            connection.execute(statement, {"roles": rows} if "$roles" in statement.query else None)
        if not roles:
            connection.execute("delete from report_role")
        for row in targets:
            connection.execute("insert into report_yield_target values (?, ?, ?, ?, ?)", row)
    return published
