create table report_shift_comparison as
select 'shift' as comparison_kind, line_id, '(all)' as shift_phase, metric, side_a, side_b, value_a::double as value_a,
    value_b::double as value_b, (value_a - value_b)::double as crude_difference, product::double as product_mix_part,
    machine::double as machine_mix_part, staffing::double as staffing_mix_part, within_part::double as within_part,
    (value_a - value_b - coalesce(product + machine, 0) - coalesce(staffing, 0) - coalesce(within_part, 0))::double
        as not_comparable_part,
    (within_part - width)::double as lower_95, (within_part + width)::double as upper_95, cells::bigint as common_cell_count,
    shifts::bigint as occurrence_count_a, 20::bigint as occurrence_count_b, p::double as adjusted_p_value,
    p <= 0.05 as is_significant, status, staffing_status
from (values
    ('(all)', 'oee', $side_a, 'late', .70, .66, -.02, .005, .015, .04, .01, 6, 20, .001, 'compared', 'identified'),
    ('(all)', 'oee', $side_a, 'night', .70, .71, .01, -.01, null, -.02, .03, 6, 20, .4, 'compared', 'not_identifiable'),
    ('(all)', 'oee', 'late', 'night', .66, .71, .01, 0, 0, -.05, null, 2, 3, null, 'insufficient_data', 'equal'),
    ('(all)', 'scrap_ratio', $side_a, 'late', .02, .05, 0, 0, 0, -.03, .01, 6, 20, .001, 'compared', 'not_recorded'),
    ($line, 'good_rate_per_h', $side_a, 'late', 50, 62, null, null, null, null, null, 0, 0, null, 'not_comparable', 'equal')
) as row (line_id, metric, side_a, side_b, value_a, value_b, product, machine, staffing, within_part, width, cells, shifts, p,
    status, staffing_status);

create table report_shift_best_practice as
select 'shift' as comparison_kind, '(all)' as line_id, 'oee' as metric, $side_a as better_side, 'late' as other_side,
    0.04e0 as advantage, 0.03e0 as advantage_lower_95, 412.3e0 as units_per_week, 0.001e0 as adjusted_p_value;

create table report_shift_handover as
select line_id, date '2024-01-20' + day::int as shift_date, shift_name,
    timestamp '2024-01-20 06:00:00' + to_days(day::int) + to_hours(8 * n) as shift_start_local,
    timestamp '2024-01-20 14:00:00' + to_days(day::int) + to_hours(8 * n) as known_until_local, case when n < 2 then 'A' end as crew,
    case when n < 2 then $ran end as ran, (case when n < 2 then 100 + day else 0 end)::bigint as good, 3::bigint as scrap,
    2::bigint as rework, case when n = 0 then 120e0 end as planned_quantity, case when n < 2 then 28800e0 else 0e0 end as pbt_s,
    case when n < 2 then 20000e0 else 0e0 end as apt_s, case when n < 2 then 20000e0 / 28800 end as availability,
    4::bigint as stop_count, 1::bigint as open_stop_count, $open as open_stops,
    case when n = 0 then 1 end::bigint as anomaly_count, case when n = 0 then $flag end as anomalies, 2::bigint as open_issue_count,
    'I-1, I-2' as open_issues, $ran || ' good. Standing: ' || $open || '.' as next_shift_should_know
from (select unnest($lines::varchar[]) as line_id), range(2) as d (day),
    (select unnest(['early', 'late', 'night']) as shift_name, unnest(range(3)) as n) order by all;
