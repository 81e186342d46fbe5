-- One row per point of every series of values that is watched. local_s: seconds from Monday 2000-01-03's production day
-- to the point, wall time; blocks, batches, days and hours are counted in it. Shares are int_metric_share.
{{ config(materialized="view") }}

{% set epoch = "timestamp '2000-01-03 00:00:00'" %}

with

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

minutes as (
    select
        'sensor' as entity_type,
        sensor_id as entity,
        null::string as metric,
        null::string as product_name,
        null::string as test_name,
        minute_at as point_at,
        minute_at_local as point_at_local,
        value_sum / trusted_count as value,
        value_min,
        value_max,
        production_date
    from {{ ref("int_sensor_minute_aligned") }}
    where trusted_count > 0
),

-- what each product and test took at the machine over the four weeks before
durations_before as (
    select
        machine_id,
        production_date,
        pass_duration_sum_s,
        pass_duration_count,
        sum(pass_duration_sum_s) over four_weeks as before_sum_s,
        sum(pass_duration_count) over four_weeks as before_count
    from {{ ref("station_day") }}
    where pass_duration_count > 0
    window four_weeks as (
        partition by machine_id, product_name, test_name
        order by {{ seconds_between(epoch, "production_date::timestamp") }} / 86400e0
        range between 28.5e0 preceding and 5e-1 preceding
    )
),

daily_values as (
    select
        machine_id,
        'duration' as metric,
        product_name,
        test_name,
        pass_duration_sum_s / pass_duration_count as value,
        production_date
    from {{ ref("station_day") }}
    where pass_duration_count > 0
    union all
    -- all that a machine tests, taken together, as a share of what it took before: another mix is nothing
    select
        machine_id,
        'relative_duration' as metric,
        null::string as product_name,
        null::string as test_name,
        sum(pass_duration_sum_s) / sum(pass_duration_count * before_sum_s / before_count) as value,
        production_date
    from durations_before
    where before_count >= 20 and before_sum_s > 0e0
    group by machine_id, production_date
    union all
    select
        machine_id,
        metric,
        product_name,
        null::string as test_name,
        numerator / denominator as value,
        production_date
    from {{ ref("int_metric_machine_day") }}
    where metric <> 'units_not_scrapped'
),

-- plant wall time: a day has no other
daily as (
    select
        'station' as entity_type,
        daily_values.machine_id as entity,
        daily_values.metric,
        daily_values.product_name,
        daily_values.test_name,
        daily_values.production_date::timestamp
        + plant.production_day_start_minutes * interval '1 minute' as point_at,
        daily_values.production_date::timestamp
        + plant.production_day_start_minutes * interval '1 minute' as point_at_local,
        daily_values.value,
        daily_values.value as value_min,
        daily_values.value as value_max,
        daily_values.production_date
    from daily_values
    cross join plant
),

others_ranked as (
    select
        points.*,
        row_number() over (
            partition by points.entity, points.metric, points.point_at
            order by points.record_hash desc
        ) as record_rank
    from {{ ref("stg_metric_point") }} as points
),

others as (
    select
        'other' as entity_type,
        others_ranked.entity,
        others_ranked.metric,
        null::string as product_name,
        null::string as test_name,
        others_ranked.point_at,
        others_ranked.point_at_local,
        others_ranked.value,
        others_ranked.value as value_min,
        others_ranked.value as value_max,
        {{ production_date("others_ranked.point_at_local") }} as production_date
    from others_ranked
    cross join plant
    where others_ranked.record_rank = 1
),

-- by day, so that a point is held against those of its day, not against all there ever were
exclusions as (
    select
        days.production_date,
        exclusions.*
    from {{ ref("int_metric_exclusion") }} as exclusions
    inner join {{ ref("stg_calendar_day") }} as days
        on exclusions.start_at < days.day_end_at
        and exclusions.end_at > days.day_start_at
),

points as (
    select * from minutes
    union all
    select * from daily
    union all
    select * from others
),

final as (
    select
        series.series_id,
        series.place,
        coalesce(regimes.baseline_number, 0) as baseline_number,
        points.point_at,
        points.point_at_local,
        points.value,
        points.value_min,
        points.value_max,
        series.period_s,
        series.block_s,
        {{ seconds_between(epoch, "points.point_at_local") }} - plant.production_day_start_minutes * 60e0 as local_s,
        exclusions.reason as exclusion,
        exclusions.reason is not null as is_excluded,
        points.production_date
    from points
    inner join {{ ref("int_metric_series") }} as series
        on points.entity_type = series.entity_type
        and points.entity = series.entity
        and coalesce(points.metric = series.metric, true)
        and coalesce(points.product_name = series.product_name, true)
        and coalesce(points.test_name = series.test_name, true)
        and series.sensitivity_factor is not null
    cross join plant
    left join {{ ref("int_metric_regime") }} as regimes
        on series.series_id = regimes.series_id
        and points.point_at >= regimes.from_at
        and points.point_at < regimes.to_at
    left join exclusions
        on case when series.period_s <= 3600e0 then series.place end = exclusions.place
        and points.production_date = exclusions.production_date
        and points.point_at >= exclusions.start_at
        and points.point_at < exclusions.end_at
)

select * from final
