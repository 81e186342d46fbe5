-- One row per sensor that used to report and does not any more: since when, while others still do. Those that fell
-- silent together with most of their line are left out: the line stands.
{{ config(materialized="view") }}

with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

lasts as (
    select
        days.sensor_id,
        max(days.last_read_at) as last_read_at,
        max(days.production_date) as last_date,
        avg(days.minute_count) as minutes_per_day
    from {{ ref("sensor_day") }} as days
    group by days.sensor_id
),

horizon as (
    select max(last_read_at) as horizon_at from lasts
),

sensors as (
    select
        series.*,
        lasts.last_read_at,
        horizon.horizon_at,
        lasts.last_date,
        {{ seconds_between("lasts.last_read_at", "horizon.horizon_at") }} / series.period_s as gap_ticks,
        lasts.last_read_at < horizon.horizon_at - parameters.gap_least * series.period_s::int * interval '1 second'
            as is_silent
    from lasts
    inner join {{ ref("int_metric_series") }} as series
        on lasts.sensor_id = series.entity
        and series.entity_type = 'sensor'
    cross join horizon
    cross join parameters
    where
        series.sensitivity_factor is not null
        -- one that reports at times only is not missed
        and lasts.minutes_per_day * series.period_s >= .5e0 * 86400
        -- nor one that was taken away
        and lasts.last_read_at > horizon.horizon_at - interval '28 days'
),

lines as (
    select
        coalesce(line_id, '') as line_key,
        count(*) as sensor_count,
        count(*) filter (where is_silent) as silent_count
    from sensors
    group by coalesce(line_id, '')
),

final as (
    select
        sensors.series_id,
        sensors.last_read_at as started_at,
        sensors.horizon_at as point_at,
        sensors.gap_ticks,
        sensors.last_date as production_date
    from sensors
    inner join lines on coalesce(sensors.line_id, '') = lines.line_key
    cross join parameters
    left join {{ ref("int_metric_exclusion") }} as exclusions
        on sensors.place = exclusions.place
        and sensors.last_read_at < exclusions.end_at
        and sensors.horizon_at >= exclusions.start_at
    where
        sensors.is_silent
        and exclusions.place is null
        and not (lines.silent_count >= 3 and lines.silent_count >= parameters.silent_share * lines.sensor_count)
)

select * from final
