-- Time or attempts of a week are missing from the comparison of weeks, or counted twice: the sides' values are not the
-- plant's.
with

cells as (
    select
        production_week_start,
        metric,
        sum(denominator) as compared
    from {{ ref("int_comparison_cell") }}
    where comparison_kind = 'week' and line_id = '(all)' and metric in ('availability', 'passing_rate')
    group by all
),

machine_times as (
    select
        production_week_start,
        'availability' as metric,
        sum(apt_s + aust_s + adet_s + adot_s) as recorded
    from {{ ref("int_machine_time") }}
    where shift_name is not null
    group by all
),

attempts as (
    select
        production_week_start,
        'passing_rate' as metric,
        sum(attempt_count)::double as recorded
    from {{ ref("int_station_shift") }}
    group by all
),

layers as (
    select * from machine_times
    union all
    select * from attempts
)

select
    production_week_start,
    metric,
    cells.compared,
    layers.recorded
from layers
left join cells using (production_week_start, metric)
where
    layers.recorded > 0
    and layers.production_week_start >= (select min(weeks.production_week_start) from cells as weeks)
    and not coalesce(abs(cells.compared - layers.recorded) <= 1e-6 * layers.recorded, false)
