-- One row per sensor, day and gap between two of that day's trusted readings (sensor_gap says what a gap is).
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

minutes as (
    select
        minutes.sensor_id,
        minutes.production_date,
        minutes.last_read_at as gap_start_at,
        minutes.minute_at_local + (minutes.last_read_at - minutes.minute_at) as gap_start_at_local,
        lead(minutes.first_read_at) over following as gap_end_at,
        lead(minutes.minute_at_local + (minutes.first_read_at - minutes.minute_at)) over following as gap_end_at_local
    from {{ ref("int_sensor_minute_aligned") }} as minutes
    inner join days_touched
        on minutes.sensor_id = days_touched.sensor_id
        and minutes.production_date = days_touched.production_date
    where minutes.trusted_count > 0
    window following as (partition by minutes.sensor_id, minutes.production_date order by minutes.minute_at)
),

final as (
    select
        minutes.sensor_id,
        minutes.gap_start_at,
        minutes.gap_start_at_local,
        minutes.gap_end_at,
        minutes.gap_end_at_local,
        days.period_s,
        minutes.production_date
    from minutes
    inner join {{ ref("sensor_day") }} as days
        on minutes.sensor_id = days.sensor_id
        and minutes.production_date = days.production_date
    where {{ is_sensor_gap("minutes.gap_start_at", "minutes.gap_end_at", "days.period_s") }}
)

select * from final
