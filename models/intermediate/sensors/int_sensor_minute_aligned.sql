-- One row per sensor and minute with readings: sensors that are read at different times stand side by side, by minute.
-- Nothing is filled in. Values are of trusted readings: of none that is ahead of its arrival, that came too long after
-- it was taken, or without a value.
{{ config(
    materialized="incremental",
    partition_by="production_date",
    meta={"of_readings": true},
    pre_hook="{{ clear_touched_minutes('minute_at') }}",
) }}

{% set minutes -%}
    select minute_at as read_at, minute_at_local as read_at_local from {{ ref("int_touched_sensor_minute") }}
{%- endset %}

with

touched as (
    select * from {{ ref("int_touched_sensor_minute") }}
),

sensors as (
    select * from {{ ref("int_sensor") }}
),

readings as (
    select
        readings.*,
        {{ seconds_between("readings.reading_at", "readings.arrived_at") }} as delay_s,
        readings.value is not null and coalesce(readings.status <> 'bad', true) as has_value,
        sensors.lower_limit,
        sensors.upper_limit,
        coalesce(sensors.max_delay_s, {{ var("sensor_max_delay_s") }}) as max_delay_s
    from {{ ref("int_sensor_reading_deduplicated") }} as readings
    left join sensors on readings.sensor_id = sensors.sensor_id
    where {{ read_in_hours_of(minutes) }}
),

readings_timed as (
    select
        *,
        coalesce(delay_s < -1 * {{ var("sensor_max_ahead_s") }}, record_flags like '%reading_at:future%', false)
            as is_future,
        coalesce(delay_s > max_delay_s, false) as is_old
    from readings
),

readings_judged as (
    select
        *,
        has_value and not is_future and not is_old as is_trusted
    from readings_timed
),

minutes as (
    select
        sensor_id,
        minute_at,
        min(source) as source,

        -- readings
        sum(copy_count)::bigint as record_count,
        count(*) as reading_count,
        count(*) filter (where is_trusted) as trusted_count,

        -- trusted values
        sum(value) filter (where is_trusted) as value_sum,
        min(value) filter (where is_trusted) as value_min,
        max(value) filter (where is_trusted) as value_max,
        max_by(value, reading_at) filter (where is_trusted) as value_last,
        min(reading_at) filter (where is_trusted) as first_read_at,
        max(reading_at) filter (where is_trusted) as last_read_at,
        count(*) filter (where is_trusted and (value < lower_limit or value > upper_limit)) as out_of_limits_count,

        -- what is wrong with the others, and with some of these
        count(*) filter (where is_future) as future_count,
        count(*) filter (where is_old) as old_count,
        count(*) filter (where not has_value) as bad_count,
        count(*) filter (where has_value and status <> 'good') as uncertain_count,
        count(*) filter (where content_count > 1) as conflict_count,
        max(content_count) as most_contents,
        count(*) filter (where record_flags like '%reading_at:repeated_hour%') as repeated_hour_count,
        count(*) filter (where record_flags like '%reading_at:missing_hour%') as missing_hour_count,

        -- clock: the least delay, since a delay may have other reasons, too
        min(delay_s) as least_delay_s
    from readings_judged
    group by sensor_id, minute_at
),

final as (
    select
        minutes.*,
        touched.minute_at_local,
        {{ ratio("60", "sensors.period_s") }} as expected_count,
        touched.production_date
    from minutes
    inner join touched
        on minutes.sensor_id = touched.sensor_id
        and minutes.minute_at = touched.minute_at
    left join sensors on minutes.sensor_id = sensors.sensor_id
)

-- by time, so that what looks at some days finds them together
select * from final order by production_date, minute_at
