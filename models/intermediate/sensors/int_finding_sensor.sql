-- Findings on sensors: on readings and clocks by production week, machine and source; sensors that sensors.csv does not
-- have, or has twice.
{{ config(materialized="view") }}

with

sensors as (
    select * from {{ ref("int_sensor") }}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

days as (
    select
        days.*,
        sensors.machine_id,
        sensors.sensor_id is not null as is_known,
        date_trunc('week', days.production_date)::date as week_start,
        case
            when days.trusted_count < (1 - {{ var("sensor_missing_share") }}) * days.expected_count
                then days.expected_count - days.trusted_count
        end as missing_count
    from {{ ref("sensor_day") }} as days
    left join sensors on days.sensor_id = sensors.sensor_id
),

-- the few loads that reach back to readings which were gone before they came
loads_late as (
    select
        loads.load_id,
        max(droppings.dropped_before) as dropped_before
    from {{ ref("stg_load") }} as loads
    inner join {{ source("raw", "dropping") }} as droppings
        on loads.table_name = droppings.table_name
        and loads.started_at > droppings.dropped_at
        -- plant wall time, up to 14 hours from UTC
        and loads.min_event_at < droppings.dropped_before + interval '1 day'
    where loads.status = 'loaded' and loads.table_name = 'sensor_reading'
    group by loads.load_id
),

readings_late as (
    select
        readings.sensor_id,
        readings.source,
        sensors.machine_id,
        date_trunc('week', {{ production_date("readings.reading_at_local") }})::date as week_start,
        1::bigint as late_count
    from {{ ref("stg_sensor_reading") }} as readings
    inner join loads_late
        on readings.load_id = loads_late.load_id
        and readings.reading_at_local < loads_late.dropped_before
    cross join plant
    left join sensors on readings.sensor_id = sensors.sensor_id
),

findings as (
    {{ sensor_finding("duplicate_record", "info", "record_count - reading_count") }}
    union all
    {{ sensor_finding("conflicting_record", "warning", "conflict_count") }}
    union all
    {{ sensor_finding("repeated_hour", "info", "repeated_hour_count") }}
    union all
    {{ sensor_finding("missing_hour", "warning", "missing_hour_count") }}
    union all
    {{ sensor_finding("future_timestamp", "warning", "future_count") }}
    union all
    {{ sensor_finding("late_reading", "warning", "old_count") }}
    union all
    {{ sensor_finding("bad_reading", "warning", "bad_count") }}
    union all
    {{ sensor_finding("uncertain_reading", "info", "uncertain_count") }}
    union all
    {{ sensor_finding("reading_out_of_limits", "warning", "out_of_limits_count") }}
    union all
    {{ sensor_finding("missing_reading", "warning", "missing_count") }}
    union all
    {{ sensor_finding("clock_skew", "warning", "is_clock_wrong::int") }}
    union all
    {{ sensor_finding("stuck_clock", "warning", "(most_contents >= " ~ var("sensor_stuck_readings") ~ ")::int") }}
    union all
    {{ sensor_finding("late_beyond_retention", "warning", "late_count", from="readings_late") }}
    union all
    select
        'unknown_sensor' as finding,
        'warning' as severity,
        'sensor_reading' as table_name,
        null::string as load_week,
        null::string as machine_id,
        min(source) as detail,
        sum(reading_count)::bigint as finding_count,
        sensor_id as example
    from days
    where not is_known and exists (select 1 from sensors)
    group by sensor_id
    union all
    select
        'ambiguous_sensor' as finding,
        'warning' as severity,
        'ref_sensors' as table_name,
        null::string as load_week,
        machine_id,
        null::string as detail,
        line_count as finding_count,
        sensor_id as example
    from sensors
    where line_count > 1
),

final as (
    select
        finding,
        severity,
        table_name,
        load_week,
        null::string as product_name,
        null::string as test_name,
        machine_id,
        detail,
        finding_count,
        example
    from findings
)

select * from final
