-- Counts by chart and production day or week: one row per chart of counts that fits and period. The time of a day is
-- its start; subgroups by hour do not exist, a day is the shortest.
{{ config(materialized="view") }}

with

lines as (
    select * from {{ ref("int_control_chart") }} where not is_of_values
),

stations as (
    select * from {{ ref("station_day") }}
),

charted as (
    select
        lines.chart,
        lines.metric,
        stations.product_name,
        stations.test_name,
        case when lines.is_of_one_machine or lines.is_by_machine then stations.machine_id end as machine_id,
        case when lines.subgroup_by = 'week' then stations.production_week_start else stations.production_date end
            as production_date,
        stations.production_week_start,
        stations.first_run_count,
        stations.first_run_pass_count,
        stations.attempt_count,
        stations.pass_count,
        stations.error_count,
        stations.abort_count
    from stations
    inner join lines
        on (lines.product_name is null or stations.product_name = lines.product_name)
        and (lines.test_name is null or stations.test_name = lines.test_name)
        and (not lines.is_of_one_machine or stations.machine_id = lines.machine_id)
),

summed as (
    select
        chart,
        product_name,
        test_name,
        machine_id,
        production_date,
        production_week_start,
        sum(
            case metric
                when 'first_run_fail' then first_run_count
                when 'fail' then attempt_count
                else attempt_count + error_count + abort_count
            end
        )::bigint as sample_size,
        sum(
            case metric
                when 'first_run_fail' then first_run_count - first_run_pass_count
                when 'fail' then attempt_count - pass_count
                else error_count
            end
        )::bigint as event_count
    from charted
    group by chart, product_name, test_name, machine_id, production_date, production_week_start
),

final as (
    select
        concat_ws(' | ', summed.chart, summed.product_name, summed.test_name, summed.machine_id) as chart_id,
        summed.chart,
        summed.product_name,
        summed.test_name,
        summed.machine_id,
        summed.sample_size,
        summed.event_count,
        summed.production_date::timestamp
        + plant.production_day_start_minutes * interval '1 minute' as started_at_local,
        summed.production_date,
        summed.production_week_start
    from summed
    cross join {{ ref("stg_ref_plant") }} as plant
    -- a day on which nothing of the kind was tested is no point
    where summed.sample_size > 0
)

select * from final
