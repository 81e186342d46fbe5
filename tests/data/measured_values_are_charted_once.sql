-- A value that is lost between measurement and chart, or charted twice, moves limits that nobody touched: every first
-- run's value is in one subgroup of each chart of single values that fits it, and every measurement is in the weekly
-- parts.
with

weeks as (
    select
        'measured' as what,
        production_week_start,
        sum(measurement_count) as part_count
    from {{ ref("int_measured_week") }}
    where {{ just_written_and_open("production_week_start") }}
    group by production_week_start
),

measured as (
    select
        'measured' as what,
        production_week_start,
        count(*) as value_count
    from {{ ref("int_measured_value") }}
    where {{ just_written_and_open("production_week_start") }}
    group by production_week_start
),

charted as (
    select
        charts.chart,
        subgroups.production_week_start,
        sum(subgroups.value_count) as charted_count
    from {{ ref("int_control_chart") }} as charts
    inner join {{ ref("int_chart_subgroup") }} as subgroups on charts.chart = subgroups.chart
    where
        charts.subgroup_by in ('value', 'consecutive')
        and charts.product_name is null and charts.test_name is null and charts.parameter is null
        and not charts.is_of_one_machine
        and {{ just_written_and_open("subgroups.production_week_start") }}
    group by charts.chart, subgroups.production_week_start
),

first_runs as (
    select
        production_week_start,
        count(*) as value_count
    from {{ ref("int_measured_value") }}
    where run_number = 1 and {{ just_written_and_open("production_week_start") }}
    group by production_week_start
)

select
    production_week_start,
    'weekly parts' as what,
    part_count as found_count,
    value_count as expected_count
from weeks
full outer join measured using (what, production_week_start)
where part_count is distinct from value_count
union all
select
    production_week_start,
    charted.chart as what,
    charted.charted_count as found_count,
    first_runs.value_count as expected_count
from charted
left join first_runs using (production_week_start)
where charted.charted_count is distinct from first_runs.value_count
