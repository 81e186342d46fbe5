-- Measured values by chart and subgroup: one row per chart of values that fits and value of a module's first
-- production run, pass or fail; a retest is no new sample of the process. Subgroups never go beyond a production day
-- (week: week).
{{ config(materialized="view") }}

with

lines as (
    select * from {{ ref("int_control_chart") }} where is_of_values
),

charted as (
    select
        measured.*,
        lines.chart,
        lines.subgroup_by,
        case
            when lines.chart_type = 'xbar-r' then least(coalesce(lines.subgroup_size, 25), 25) else lines.subgroup_size
        end
            as subgroup_size,
        case when lines.is_of_one_machine or lines.is_by_machine then measured.machine_id end as chart_machine_id
    from {{ ref("int_measured_value") }} as measured
    inner join lines
        on (lines.product_name is null or measured.product_name = lines.product_name)
        and (lines.test_name is null or measured.test_name = lines.test_name)
        and (lines.parameter is null or measured.parameter = lines.parameter)
        and (not lines.is_of_one_machine or measured.machine_id = lines.machine_id)
    where
        measured.run_number = 1
        and {{ in_touched_weeks("measured.production_week_start", "int_touched_chart_week") }}
),

named as (
    select
        *,
        concat_ws(' | ', chart, product_name, test_name, parameter, chart_machine_id) as chart_id,
        case
            when subgroup_by = 'hour' then date_trunc('hour', test_timestamp)::timestamp
            when subgroup_by = 'week' then production_week_start::timestamp
            else production_date::timestamp
        end as period_start
    from charted
),

ranked as (
    select
        *,
        (row_number() over (
            partition by
                chart_id, production_week_start, case when subgroup_by <> 'week' then production_date end, period_start
            order by test_timestamp, machine_id, serial_num, life_number
        ))::bigint as place,
        (dense_rank() over (partition by chart_id, production_date order by period_start))::bigint as hour_rank
    from named
),

final as (
    select
        chart_id,
        chart,
        product_name,
        test_name,
        parameter,
        chart_machine_id as machine_id,
        case subgroup_by
            when 'value' then place
            when 'consecutive' then floor((place - 1) / subgroup_size)::bigint
            when 'hour' then hour_rank
            else 0::bigint
        end as subgroup_rank,
        test_timestamp,
        test_timestamp_local,
        value,
        case when subgroup_by = 'week' then production_week_start else production_date end as production_date,
        production_week_start
    from ranked
    where subgroup_by in ('value', 'consecutive') or subgroup_size is null or place <= subgroup_size
)

select * from final
