-- M1 and M2 stand in the first line, M3 in the second, M4 in none and without standard rates; M2 says nothing on Sundays
create temp table interval as
with machines as (
    select unnest(range(1, 5)::int[]) as no, unnest($machines::varchar[]) as machine_id
), days as (
    select unnest(range(21)::int[]) as day
), pieces as (
    select * from (values
        (0, 8, 'unscheduled', 'unscheduled', null), (8, 12, 'production', 'APT', null), (12, 13, 'break', 'planned_downtime', null),
        (13, 14, 'setup', 'AUST', null), (14, 20, 'production', 'APT', null), (20, 22, 'malfunction', 'ADET', $reason),
        (22, 23, 'idle', 'ADOT', null), (23, 24, 'production', 'APT', null)
    ) as piece (first_hour, last_hour, bucket, time_group, reason_code)
)
select machine_id, case when no < 3 then ($lines::varchar[])[1] when no = 3 then ($lines::varchar[])[2] end as line_id, no, day,
    date '2024-01-01' + day as production_date, date_trunc('week', date '2024-01-01' + day)::date as production_week_start,
    case when silent and time_group <> 'unscheduled' then 'no_data' else bucket end as bucket,
    case when silent and time_group <> 'unscheduled' then 'no_data' else time_group end as time_group,
    case when not silent then reason_code end as reason_code,
    timestamp '2024-01-01 06:00:00' + to_days(day) + to_hours(first_hour) + to_minutes(case when bucket = 'setup' then no else 0 end)
        as started_at,
    timestamp '2024-01-01 06:00:00' + to_days(day) + to_hours(last_hour) + to_minutes(case when last_hour = 13 then no else 0 end)
        as ended_at
from machines cross join days cross join pieces
cross join lateral (select no = 2 and day % 7 = 6 as silent);

create table report_machine_timeline as
select machine_id, line_id, production_date, started_at, ended_at, started_at + interval 8 hour as started_at_local,
    'day' as shift_name, time_group, bucket, reason_code,
    case when time_group in ('AUST', 'ADET', 'ADOT') then started_at end as stop_started_at, 'P1' as product_name,
    epoch(ended_at - started_at)::double as duration_s
from interval where production_date > date '2024-01-14';

create temp table parts as
with times as (select production_date, production_week_start, machine_id, line_id, no, day,
    coalesce(sum(s) filter (where time_group in ('APT', 'AUST', 'ADET', 'ADOT')), 0)::double as pbt_s,
    coalesce(sum(s) filter (where time_group = 'APT'), 0)::double as apt_s,
    coalesce(sum(s) filter (where time_group = 'AUST'), 0)::double as aust_s,
    coalesce(sum(s) filter (where time_group = 'ADET'), 0)::double as adet_s,
    coalesce(sum(s) filter (where time_group = 'ADOT'), 0)::double as adot_s,
    coalesce(sum(s) filter (where time_group = 'planned_downtime'), 0)::double as planned_downtime_s,
    coalesce(sum(s) filter (where time_group = 'unscheduled'), 0)::double as unscheduled_s,
    coalesce(sum(s) filter (where time_group = 'no_data'), 0)::double as no_data_s
from (select *, epoch(ended_at - started_at) as s from interval) group by all)
select *, case when apt_s > 0 then 300 + 10 * no + day else 0 end as produced, (produced * 9 // 10)::bigint as good,
    (produced // 50)::bigint as scrap, produced - good - scrap as rework,
    case when no = 4 then produced else 0 end as unrated_count, (produced - unrated_count) * 100e0 as planned_run_time_s,
    case when no = 4 then 0e0 else good * 100e0 end as planned_run_time_good_s
from times;

create macro known(produced, unrated, apt, pbt, missing) as
    (apt = 0 or (produced - unrated) / nullif(produced, 0) >= 0.9) and pbt / nullif(pbt + missing, 0) >= 0.9;

create table report_oee_machine_day as
select production_date, production_week_start, machine_id, line_id, pbt_s, apt_s, aust_s, adet_s, adot_s, planned_downtime_s,
    unscheduled_s, no_data_s, produced::bigint as produced, good, scrap, rework::bigint as rework,
    unrated_count::bigint as unrated_count, planned_run_time_s, planned_run_time_good_s,
    pbt_s / nullif(pbt_s + no_data_s, 0) as data_coverage, apt_s / nullif(pbt_s, 0) as availability,
    case when unrated_count = 0 then planned_run_time_s / nullif(apt_s, 0) end as effectiveness,
    good / nullif(produced, 0) as quality_ratio,
    case when known(produced, unrated_count, apt_s, pbt_s, no_data_s) then planned_run_time_good_s / nullif(pbt_s, 0) end as oee,
    0.9e0 as min_data_coverage
from parts order by all;

-- the constraint of a line is its first machine
create table report_oee_line_day as
select production_date, production_week_start, line_id, machine_id as constraint_machine_id,
    columns(c -> c not in ('production_date', 'production_week_start', 'line_id', 'machine_id', 'min_data_coverage')), oee * 0.9 as machine_oee_pbt_weighted
from report_oee_machine_day where machine_id in (($machines::varchar[])[1], ($machines::varchar[])[3]);

create table report_loss_waterfall as
with steps as (
    select production_date, production_week_start, machine_id, line_id, time_group, bucket as step,
        sum(epoch(ended_at - started_at))::double as duration_s
    from interval where bucket <> 'production' group by all
    union all
    select production_date, production_week_start, machine_id, line_id, 'APT', 'speed_loss', apt_s - planned_run_time_s from parts
    where no <> 4
    union all
    select production_date, production_week_start, machine_id, line_id, 'APT', 'rework',
        planned_run_time_s - planned_run_time_good_s from parts where no <> 4
    union all
    select production_date, production_week_start, machine_id, line_id, 'APT', 'unrated_production', apt_s from parts where no = 4
    union all
    select production_date, production_week_start, machine_id, line_id, 'APT', 'effective', planned_run_time_good_s from parts
), placed as (
    select *, case when time_group = 'no_data' then 1 when time_group = 'unscheduled' then 2 when time_group = 'planned_downtime'
        then 3 when time_group = 'ADOT' then 4 when time_group = 'ADET' then 5 when time_group = 'AUST' then 6
        when step = 'unrated_production' then 7 when step = 'speed_loss' then 8 when step = 'rework' then 9 else 10 end::bigint
        as step_order
    from steps
)
select production_date, production_week_start, machine_id, line_id, step_order, time_group, step, duration_s,
    sum(duration_s) over (partition by production_date, machine_id order by step_order desc) - duration_s as remaining_s,
    duration_s / 100 as units
from placed order by all;

create table report_downtime_pareto as
select production_week_start, machine_id, line_id, 'day' as shift_name, time_group, bucket,
    coalesce(reason_code, '(none)') as reason_code, case when reason_code is not null then 'Jammed' end as reason,
    'loss' as loss_class, sum(epoch(ended_at - started_at))::double as duration_s, count(*)::bigint as stop_count,
    count_if(bucket = 'malfunction')::bigint as failure_count
from interval where time_group in ('AUST', 'ADET', 'ADOT', 'planned_downtime') group by all order by all;

create table report_machine_hour as
select machine_id, line_id, ((day % 7) * 24 + 14 + no)::bigint as hour_of_week, min(production_week_start) as first_week_start,
    max(production_week_start) as last_week_start, sum(pbt_s) as pbt_s, sum(apt_s) as apt_s, sum(produced)::bigint as produced
from parts where pbt_s > 0 group by all order by all;
