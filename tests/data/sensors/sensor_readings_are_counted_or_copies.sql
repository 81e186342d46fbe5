-- A reading was lost, or counted twice, on its way from raw to the minutes and from these to the hours and days.
{% set open_readings, touched = ref("int_sensor_reading_open"), ref("int_touched_sensor_minute") %}

with

raw_minutes as (
    {% if var("verify_everything") -%}
        select
            sensor_id,
            minute_at,
            count(*) as record_count
        from {{ open_readings }}
        group by all
    {%- else -%}
        select
            sensor_id,
            minute_at,
            record_count
        from {{ touched }}
    {%- endif %}
),

minutes as (
    select
        minutes.sensor_id,
        minutes.minute_at,
        sum(minutes.record_count)::bigint as record_count
    from {{ ref("int_sensor_minute_aligned") }} as minutes
    inner join raw_minutes
        on minutes.sensor_id = raw_minutes.sensor_id
        and minutes.minute_at = raw_minutes.minute_at
    group by all
),

days_of_minutes as (
    select
        sensor_id,
        production_date,
        sum(record_count)::bigint as record_count,
        sum(trusted_count)::bigint as trusted_count
    from {{ ref("int_sensor_minute_aligned") }}
    where {{ just_written("production_date", weeks="int_touched_sensor_minute") }}
    group by all
),

days_of_hours as (
    select
        sensor_id,
        production_date,
        sum(record_count)::bigint as record_count,
        sum(trusted_count)::bigint as trusted_count
    from {{ ref("sensor_hour") }}
    where {{ just_written("production_date", weeks="int_touched_sensor_minute") }}
    group by all
),

days as (
    select
        sensor_id,
        production_date,
        record_count,
        trusted_count
    from {{ ref("sensor_day") }}
    where {{ just_written("production_date", weeks="int_touched_sensor_minute") }}
)

select
    raw_minutes.sensor_id,
    raw_minutes.minute_at,
    raw_minutes.record_count as raw_count,
    minutes.record_count as stored_count
from raw_minutes
left join minutes
    on raw_minutes.sensor_id = minutes.sensor_id
    and raw_minutes.minute_at = minutes.minute_at
where raw_minutes.record_count <> coalesce(minutes.record_count, 0)
union all
select
    coalesce(days_of_minutes.sensor_id, days_of_hours.sensor_id, days.sensor_id) as sensor_id,
    coalesce(days_of_minutes.production_date, days_of_hours.production_date, days.production_date)::timestamp
        as minute_at,
    days_of_minutes.record_count as raw_count,
    days.record_count as stored_count
from days_of_minutes
full outer join days_of_hours
    on days_of_minutes.sensor_id = days_of_hours.sensor_id
    and days_of_minutes.production_date = days_of_hours.production_date
full outer join days
    on days_of_minutes.sensor_id = days.sensor_id
    and days_of_minutes.production_date = days.production_date
where
    coalesce(days_of_minutes.record_count, -1) <> coalesce(days_of_hours.record_count, -2)
    or coalesce(days_of_minutes.trusted_count, -1) <> coalesce(days_of_hours.trusted_count, -2)
    or coalesce(days_of_minutes.record_count, -1) <> coalesce(days.record_count, -2)
    or coalesce(days_of_minutes.trusted_count, -1) <> coalesce(days.trusted_count, -2)
