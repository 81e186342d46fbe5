-- The marts as an engineer would write them by hand for DuckDB: one script, no tests, no increments, from the same
-- lake to the same stored tables. bench/ checks that what both give is equal.
create schema marts;

create temp table plant as
select *, production_day_start_minutes * interval 1 minute as day_start, wip_stale_days * interval 1 day as stale_after
from raw_ref_plant where _load_id = (select max(_load_id) from raw_ref_plant);

create temp table route as
with current_routes as (from raw_ref_routes where _load_id = (select max(_load_id) from raw_ref_routes)),
on_file as (
    select product_name, test_name, min(sequence) as sequence, coalesce(max(max_attempts), 3) as max_attempts,
        false as is_inferred
    from current_routes group by all
)
from on_file
union all
select distinct product_name, test_name, null, 3, true from raw_test_record
where coalesce(run_purpose, 'production') = 'production' and test_result in ('pass', 'fail')
    and product_name not in (select product_name from on_file);

create temp table rework as
select distinct on (serial_num, rework_timestamp, component, action) serial_num, rework_timestamp
from raw_rework order by _hash desc;

create table marts.test_attempt as
with dated as (
    select r.*, coalesce(run_purpose, 'production') as purpose, (test_timestamp_local - day_start) as shifted,
        serial_reuse_days * interval 1 day as reuse_after
    from raw_test_record r, plant
),
copies as (
    select *, count(*) over k as copy_count, min(_hash) over k <> max(_hash) over k as is_conflict
    from dated
    window k as (partition by serial_num, test_name, test_timestamp, machine_id, product_name)
    qualify row_number() over (
        partition by serial_num, test_name, test_timestamp, machine_id, product_name
        order by revision desc nulls last, _hash desc, _flags nulls last) = 1
),
long_lived as (
    select serial_num, product_name from copies group by all
    having bool_or(purpose = 'production') and max(test_timestamp) > min(test_timestamp) + max(reuse_after)
),
lives as (
    select serial_num, product_name, test_timestamp,
        1 + sum((test_timestamp > previous + reuse_after)::int) over (
            partition by serial_num, product_name order by test_timestamp) as life_number
    from (
        select serial_num, product_name, test_timestamp, reuse_after,
            lag(test_timestamp) over (partition by serial_num, product_name order by test_timestamp) as previous
        from copies semi join long_lived using (serial_num, product_name)
    )
),
modules as (
    select c.*, coalesce(l.life_number, 1)::bigint as life_number,
        purpose = 'production' and test_result in ('pass', 'fail') as is_run
    from copies c left join (select distinct * from lives) l using (serial_num, product_name, test_timestamp)
),
numbered as (
    select *, bool_or(purpose = 'production') over m as is_module,
        date_trunc('week', if(is_module, min(shifted) over m, shifted))::date as load_week_start,
        case when is_module then row_number() over (m order by test_timestamp, machine_id, test_result, _hash) end
            as attempt_number
    from modules window m as (partition by serial_num, product_name, life_number)
)
select serial_num, product_name, life_number, test_name, machine_id, test_timestamp, test_timestamp_local,
    shifted::date as production_date, date_trunc('week', shifted)::date as production_week_start,
    load_week_start, strftime(load_week_start, '%G-W%V') as load_week, test_result, test_duration_s, error_code,
    purpose as run_purpose, attempt_number,
    case when is_run then row_number() over r end as run_number,
    case when is_run then lead(attempt_number) over r is null end as is_last_run,
    fixture_id, fixture_slot, lot_number, work_order_id, software_version,
    copy_count, is_conflict, _flags as record_flags, _hash as record_hash
from numbered
window r as (partition by serial_num, product_name, life_number, test_name, is_run order by attempt_number);

create table marts.summary_machine as
select load_week, load_week_start, product_name, test_name, machine_id, count(*) as test_count,
    count(*) filter (test_result = 'pass') as pass_count, avg((test_result = 'pass')::int) as passing_rate,
    count(test_duration_s) filter (test_result = 'pass') as pass_duration_count,
    sum(test_duration_s) filter (test_result = 'pass') as pass_duration_sum_s,
    count(test_duration_s) filter (test_result = 'fail') as fail_duration_count,
    sum(test_duration_s) filter (test_result = 'fail') as fail_duration_sum_s,
    avg(test_duration_s) filter (test_result = 'pass') as avg_test_duration_pass_s,
    avg(test_duration_s) filter (test_result = 'fail') as avg_test_duration_fail_s
from marts.test_attempt where run_number > 0 group by all;

create table marts.station_day as
select production_date, production_week_start, machine_id, product_name, test_name,
    count(run_number) as attempt_count,
    count(*) filter (run_number > 0 and test_result = 'pass') as pass_count,
    count(*) filter (run_purpose = 'production' and test_result = 'error') as error_count,
    count(*) filter (run_purpose = 'production' and test_result = 'abort') as abort_count,
    count(*) filter (run_purpose <> 'production') as other_purpose_count,
    count(*) filter (run_number = 1) as first_run_count,
    count(*) filter (run_number = 1 and test_result = 'pass') as first_run_pass_count,
    count(test_duration_s) filter (run_number > 0 and test_result = 'pass') as pass_duration_count,
    sum(test_duration_s) filter (run_number > 0 and test_result = 'pass') as pass_duration_sum_s,
    count(test_duration_s) filter (run_number > 0 and test_result = 'fail') as fail_duration_count,
    sum(test_duration_s) filter (run_number > 0 and test_result = 'fail') as fail_duration_sum_s
from marts.test_attempt group by all;

create table marts.failure_pareto as
with counted as (
    select load_week, load_week_start, product_name, test_name, coalesce(error_code, '(none)') as error_code,
        count(*) as fail_count, count(distinct (serial_num, life_number)) as module_qty
    from marts.test_attempt where run_number > 0 and test_result = 'fail' group by all
)
select load_week, load_week_start, product_name, test_name, error_code,
    row_number() over (w order by fail_count desc, error_code) as pareto_rank, fail_count, module_qty,
    fail_count / sum(fail_count) over w as fail_share,
    sum(fail_count) over (w order by fail_count desc, error_code rows unbounded preceding)
        / sum(fail_count) over w as cumulative_share
from counted window w as (partition by load_week_start, product_name, test_name);

create table marts.module_status as
with stage_of as (
    select serial_num, test_timestamp, count(*) as stage
    from (select distinct serial_num, test_timestamp from marts.test_attempt semi join rework using (serial_num)) a
    join rework r using (serial_num)
    where a.test_timestamp >= r.rework_timestamp group by all
),
per_test as (
    select serial_num, product_name, life_number, load_week_start, load_week, test_name, coalesce(stage, 0) as stage,
        min(test_timestamp) as first_at, max(test_timestamp) as last_at, max(attempt_number) as last_number,
        max_by((test_result, machine_id), attempt_number) as last_seen,
        count(*) as attempts, count(run_number) as runs,
        count(*) filter (run_number > 0 and test_result = 'fail') as fails,
        max(attempt_number) filter (run_number > 0 and test_result = 'fail') as last_fail,
        count(*) filter (run_number = 1) as first_runs,
        count(*) filter (run_number = 1 and test_result = 'pass') as first_passes,
        count(*) filter (is_last_run and test_result = 'pass') as last_passes
    from marts.test_attempt left join stage_of using (serial_num, test_timestamp)
    where attempt_number > 0 group by all
),
placed as (
    select t.*, r.test_name is not null as on_route, fails >= coalesce(max_attempts, 3) as exhausted,
        fails > coalesce(max_attempts, 3) as over_exhausted, position
    from per_test t left join (
        select *, case when not is_inferred then rank() over (partition by product_name order by sequence) end as position
        from route
    ) r using (product_name, test_name)
),
per_stage as (
    select serial_num, product_name, life_number, load_week_start, load_week, stage, min(first_at) as first_at,
        max(last_at) as last_at, max(last_number) as last_number,
        max_by((test_name, last_seen), last_number) as last_seen,
        sum(attempts) as attempts, sum(runs) as runs, sum(fails) as fails,
        max(last_fail) filter (exhausted) as exhausted_at, bool_or(over_exhausted) as over_exhausted,
        max(position) filter (first_runs > 0) as furthest,
        sum(first_runs) filter (on_route) as reached, sum(first_passes) filter (on_route) as first_passed,
        sum(last_passes) filter (on_route) as last_passed
    from placed group by all
),
per_module as (
    select serial_num, product_name, life_number, load_week_start, load_week, min(first_at) as first_tested_at,
        max(last_at) as last_tested_at, max_by(last_seen, last_number) as last_seen,
        sum(attempts)::bigint as attempt_count, sum(runs)::bigint as run_count,
        sum(fails)::bigint as fail_count, coalesce(sum(reached), 0)::bigint as tests_reached,
        coalesce(sum(first_passed), 0)::bigint as tests_first_passed,
        coalesce(sum(last_passed), 0)::bigint as tests_last_passed,
        coalesce(max(exhausted_at) = max(last_number), false) as is_exhausted,
        coalesce(bool_or(over_exhausted or exhausted_at < last_number), false) as is_reopened,
        coalesce(max(furthest) > sum(reached), false) as is_route_escape
    from per_stage group by all
),
repairs as (
    select m.serial_num, m.product_name, m.life_number, count(*) as rework_events, max(rework_timestamp) as last_rework
    from per_module m join rework r using (serial_num), plant
    where rework_timestamp >= first_tested_at
        and (serial_reuse_days is null or rework_timestamp <= last_tested_at + serial_reuse_days * interval 1 day)
    group by all
),
decisions as (
    select distinct on (serial_num) serial_num, lower(decision) as decision, decided_at
    from raw_disposition order by decided_at desc, lower(decision) desc, _hash desc
)
select serial_num, product_name, life_number, load_week, load_week_start, first_tested_at, last_tested_at,
    greatest(last_tested_at, last_rework) as last_touched_at,
    case
        when decision = 'scrap' and decided_at >= last_tested_at then 'scrap'
        when is_exhausted and last_touched_at = last_tested_at then 'scrap'
        when coalesce(tests, 0) > 0 and tests_last_passed = tests then 'finished'
        else 'work_in_progress'
    end as status,
    last_seen[1] as last_test_name, last_seen[2][1] as last_test_result, last_seen[2][2] as last_machine_id,
    decision as last_decision, coalesce(tests, 0) as tests_on_route, tests_reached, tests_first_passed,
    tests_last_passed, coalesce(tests, 0) > 0 and tests_first_passed = tests as is_unit_first_pass,
    attempt_count, run_count, fail_count, coalesce(rework_events, 0) as rework_events,
    is_reopened or coalesce(decision = 'scrap' and decided_at >= first_tested_at and decided_at < last_tested_at, false)
        as is_reopened,
    is_route_escape
from per_module
left join (select product_name, count(*) as tests from route group by all) using (product_name)
left join repairs using (serial_num, product_name, life_number)
left join decisions using (serial_num);

create temp table product_week as
select load_week, load_week_start, product_name, count(*) as load_qty,
    count(*) filter (is_unit_first_pass) as unit_first_pass_qty, count(*) filter (status = 'finished') as finished_qty,
    count(*) filter (status = 'scrap') as scrap_qty, count(*) filter (status = 'work_in_progress') as wip_qty,
    count(*) filter (rework_events > 0) as rework_qty, sum(rework_events)::bigint as rework_events,
    count(*) filter (status = 'work_in_progress') = 0 or coalesce(
        max(last_touched_at) filter (status = 'work_in_progress')
        < (select max(max_event_at) from raw_load where table_name = 'test_record') - (select stale_after from plant), false
    ) as is_mature
from marts.module_status group by all;

create table marts.summary_prod_test as
select load_week, load_week_start, product_name, test_name, count(*) filter (run_number = 1) as load_qty,
    count(*) filter (run_number = 1 and test_result = 'pass') as first_pass_qty,
    count(*) filter (is_last_run and test_result = 'pass') as cumm_pass_qty,
    count(*) filter (run_number = 1 and test_result = 'pass') / count(*) filter (run_number = 1) as first_pass_yield,
    count(*) filter (is_last_run and test_result = 'pass') / count(*) filter (run_number = 1) as cumm_yield,
    count(*) as test_qty,
    count(*) filter (test_result = 'pass') as test_qty_pass,
    count(*) filter (run_number = 2) as retest_module_qty,
    count(*) filter (is_last_run and run_number > 1 and test_result = 'pass') as retest_pass_qty,
    avg(test_duration_s) filter (test_result = 'pass') as avg_test_duration_pass_s,
    avg(test_duration_s) filter (test_result = 'fail') as avg_test_duration_fail_s, any_value(is_mature) as is_mature
from marts.test_attempt join product_week using (load_week, load_week_start, product_name)
where run_number > 0 group by all;

create table marts.summary_prod as
select p.*, min_test_load_qty, coalesce(tests_reached, 0) as tests_reached, coalesce(tests, 0) as tests_on_route,
    first_pass_yield, cumm_yield, case when is_mature then unit_first_pass_qty / p.load_qty end as unit_first_pass_yield
from product_week p
left join (
    select load_week_start, product_name, count(*) as tests_reached, min(load_qty) as min_test_load_qty,
        product(first_pass_yield) as first_pass_yield, product(cumm_yield) as cumm_yield
    from marts.summary_prod_test semi join route using (product_name, test_name) group by all
) using (load_week_start, product_name)
left join (select product_name, count(*) as tests from route group by all) using (product_name);

create table marts.data_quality as
select 'duplicate_record' as finding, load_week, product_name, test_name, sum(copy_count - 1)::bigint as finding_count,
    min(serial_num) as example
from marts.test_attempt where copy_count > 1 group by all
union all
select 'conflicting_record', load_week, product_name, test_name, count(*), min(serial_num)
from marts.test_attempt where is_conflict group by all
union all
select 'reopened_after_scrap', load_week, product_name, null, count(*), min(serial_num)
from marts.module_status where is_reopened group by all
union all
select 'route_escape', load_week, product_name, null, count(*), min(serial_num)
from marts.module_status where is_route_escape group by all;
