-- One row per sensor and production day with readings: how many there were, what was wrong with them, and the sensor's
-- clock. clock_delay_s: how long after the time that it claims a reading arrives; the median of the minutes' least
-- delays, so that a minute without a connection does not count, nor most of those after one.
{{ config(
    materialized="incremental",
    partition_by="production_date",
    meta={"of_readings": true},
    pre_hook="{{ clear_touched_minutes('production_date') }}",
) }}

with

days_touched as (
    select distinct
        sensor_id,
        production_date
    from {{ ref("int_touched_sensor_minute") }}
),

sensors as (
    select * from {{ ref("int_sensor") }}
),

minutes as (
    select minutes.*
    from {{ ref("int_sensor_minute_aligned") }} as minutes
    inner join days_touched
        on minutes.sensor_id = days_touched.sensor_id
        and minutes.production_date = days_touched.production_date
),

days as (
    select
        sensor_id,
        min(source) as source,
        count(*) as minute_count,
        sum(record_count)::bigint as record_count,
        sum(reading_count)::bigint as reading_count,
        sum(trusted_count)::bigint as trusted_count,
        sum(out_of_limits_count)::bigint as out_of_limits_count,
        sum(future_count)::bigint as future_count,
        sum(old_count)::bigint as old_count,
        sum(bad_count)::bigint as bad_count,
        sum(uncertain_count)::bigint as uncertain_count,
        sum(conflict_count)::bigint as conflict_count,
        max(most_contents) as most_contents,
        sum(repeated_hour_count)::bigint as repeated_hour_count,
        sum(missing_hour_count)::bigint as missing_hour_count,
        min(first_read_at) as first_read_at,
        max(last_read_at) as last_read_at,
        median(least_delay_s) as clock_delay_s,
        production_date
    from minutes
    group by sensor_id, production_date
),

final as (
    select
        days.*,
        -- between the first reading and the last: before and after, the sensor may have been off
        floor({{ seconds_between("days.first_read_at", "days.last_read_at") }} / sensors.period_s)::bigint + 1
            as expected_count,
        abs(days.clock_delay_s) > coalesce(sensors.max_skew_s, {{ var("sensor_max_skew_s") }}) as is_clock_wrong
    from days
    left join sensors on days.sensor_id = sensors.sensor_id
)

select * from final
