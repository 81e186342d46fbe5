-- One row per series that is watched: what it is about, how its points are looked at, and its dial.
with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

machines as (
    select
        machine_id,
        min(line_id) as line_id
    from {{ ref("stg_ref_machines") }}
    group by machine_id
),

sensors as (
    select
        'sensor' as entity_type,
        seen.sensor_id as entity,
        sensors.machine_id,
        coalesce(sensors.line_id, machines.line_id) as line_id,
        coalesce(sensors.quantity, 'value') as metric,
        null::string as product_name,
        null::string as test_name,
        sensors.unit,
        greatest(coalesce(sensors.period_s, 60e0), 60e0) as period_s,
        sensors.lower_limit,
        sensors.upper_limit
    from (select distinct sensor_id from {{ ref("sensor_day") }}) as seen
    left join {{ ref("int_sensor") }} as sensors on seen.sensor_id = sensors.sensor_id
    left join machines on sensors.machine_id = machines.machine_id
),

stations_seen as (
    select distinct
        machine_id,
        product_name,
        test_name
    from {{ ref("station_day") }}
),

stations as (
    select
        'station' as entity_type,
        seen.machine_id as entity,
        seen.machine_id,
        machines.line_id,
        'duration' as metric,
        seen.product_name,
        seen.test_name,
        's' as unit,
        86400e0 as period_s,
        null::double as lower_limit,
        null::double as upper_limit
    from stations_seen as seen
    left join machines on seen.machine_id = machines.machine_id
),

-- all that a machine tests, taken together
whole_stations as (
    select
        'station' as entity_type,
        seen.machine_id as entity,
        seen.machine_id,
        max(machines.line_id) as line_id,
        metrics.metric,
        null::string as product_name,
        null::string as test_name,
        null::string as unit,
        86400e0 as period_s,
        null::double as lower_limit,
        null::double as upper_limit
    from stations_seen as seen
    left join machines on seen.machine_id = machines.machine_id
    cross join (values ('relative_duration'), ('first_pass_yield'), ('passing_rate')) as metrics (metric)
    group by seen.machine_id, metrics.metric
),

shares as (
    select
        entity_type,
        entity,
        machine_id,
        min(line_id) as line_id,
        metric,
        product_name,
        test_name,
        null::string as unit,
        86400e0 as period_s,
        null::double as lower_limit,
        null::double as upper_limit
    from {{ ref("int_metric_share") }}
    -- scrap comes by lots: what a machine makes is judged together
    where metric <> 'units_not_scrapped'
    group by entity_type, entity, machine_id, metric, product_name, test_name
),

others as (
    select
        'other' as entity_type,
        points.entity,
        min(points.machine_id) as machine_id,
        coalesce(min(points.line_id), min(machines.line_id)) as line_id,
        points.metric,
        null::string as product_name,
        null::string as test_name,
        null::string as unit,
        min(points.period_s) as period_s,
        null::double as lower_limit,
        null::double as upper_limit
    from {{ ref("stg_metric_point") }} as points
    left join machines on points.machine_id = machines.machine_id
    group by points.entity, points.metric
),

machine_days as (
    select
        'station' as entity_type,
        days.machine_id as entity,
        days.machine_id,
        max(machines.line_id) as line_id,
        days.metric,
        null::string as product_name,
        null::string as test_name,
        case when days.metric <> 'units_not_scrapped' then '%' end as unit,
        86400e0 as period_s,
        null::double as lower_limit,
        null::double as upper_limit
    from {{ ref("int_metric_machine_day") }} as days
    left join machines on days.machine_id = machines.machine_id
    group by days.machine_id, days.metric
),

series as (
    select * from sensors
    union all
    select * from stations
    union all
    select * from whole_stations
    union all
    select * from shares
    union all
    select * from machine_days
    union all
    select * from others
),

named as (
    select
        concat(
            entity_type, ':', entity, ':', metric,
            case when product_name is null then '' else concat(':', product_name) end,
            case when test_name is null then '' else concat(':', test_name) end
        ) as series_id,
        *,
        case
            when machine_id is not null then concat('machine:', machine_id)
            when line_id is not null then concat('line:', line_id)
        end as place
    from series
),

-- the line that says most about a series
dials_ranked as (
    select
        named.series_id,
        settings.sensitivity,
        settings.is_critical,
        row_number() over (
            partition by named.series_id
            order by
                (settings.entity is not null)::int + (settings.metric is not null)::int
                + (settings.entity_type is not null)::int desc,
                settings.line_number asc
        ) as setting_rank
    from named
    inner join {{ ref("stg_ref_anomaly_settings") }} as settings
        on coalesce(named.entity_type = settings.entity_type, true)
        and coalesce(settings.entity in (named.entity, named.machine_id), settings.entity is null)
        and coalesce(named.metric = settings.metric, true)
),

classes_ranked as (
    select
        named.series_id,
        classes.*,
        row_number() over (partition by named.series_id order by classes.greatest_period_s) as class_rank
    from named
    inner join {{ ref("const_metric_class") }} as classes on named.period_s <= classes.greatest_period_s
),

final as (
    select
        named.*,
        case coalesce(dials.sensitivity, 'normal')
            when 'low' then parameters.low_sensitivity
            when 'normal' then 1e0
            when 'high' then parameters.high_sensitivity
        end as sensitivity_factor,
        coalesce(dials.is_critical, false) as is_critical,
        classes.block_s,
        classes.batch_s,
        classes.lookback_batches,
        classes.least_blocks,
        classes.least_together_blocks,
        classes.recent_blocks,
        classes.drift_blocks,
        classes.hold_share
    from named
    cross join parameters
    inner join classes_ranked as classes
        on named.series_id = classes.series_id
        and classes.class_rank = 1
    left join dials_ranked as dials
        on named.series_id = dials.series_id
        and dials.setting_rank = 1
)

select * from final
