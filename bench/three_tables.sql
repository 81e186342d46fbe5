-- The three summary tables of a table test_record, as an engineer would write them: one SQL for DuckDB, Spark and
-- PostgreSQL. It leaves out what the models also do: duplicates, lives, purposes, routes, increments, findings.
create table run as
select
    date_trunc('week', min(test_timestamp_local) over module - interval '7 hours') as load_week,
    product_name, test_name, machine_id, test_result = 'pass' as is_pass, test_duration_s,
    row_number() over run_order = 1 as is_first,
    lead(test_name) over run_order is null as is_last
from test_record
where test_result in ('pass', 'fail')
window
    module as (partition by serial_num, product_name),
    run_order as (
        partition by serial_num, product_name, test_name order by test_timestamp, machine_id, test_result
    );

create table summary_machine as
select load_week, product_name, test_name, machine_id, count(*) as test_count,
    1e0 * count(*) filter (where is_pass) / count(*) as passing_rate,
    avg(test_duration_s) filter (where is_pass) as pass_s, avg(test_duration_s) filter (where not is_pass) as fail_s
from run group by load_week, product_name, test_name, machine_id;

create table summary_prod_test as
select load_week, product_name, test_name, count(*) filter (where is_first) as load_qty,
    1e0 * count(*) filter (where is_first and is_pass) / count(*) filter (where is_first) as first_pass_yield,
    1e0 * count(*) filter (where is_last and is_pass) / count(*) filter (where is_first) as cumm_yield,
    count(*) as test_qty, count(*) filter (where is_pass) as test_qty_pass,
    avg(test_duration_s) filter (where is_pass) as pass_s, avg(test_duration_s) filter (where not is_pass) as fail_s
from run group by load_week, product_name, test_name;

create table summary_prod as
select load_week, product_name, min(load_qty) as load_qty,
    case when min(first_pass_yield) > 0 then exp(sum(ln(nullif(first_pass_yield, 0)))) else 0 end as first_pass_yield,
    case when min(cumm_yield) > 0 then exp(sum(ln(nullif(cumm_yield, 0)))) else 0 end as cumm_yield
from summary_prod_test group by load_week, product_name;
