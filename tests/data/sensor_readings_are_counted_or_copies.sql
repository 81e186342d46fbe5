-- A reading was lost, or counted twice, on its way from raw to the minutes and from these to the days.
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
        sum(record_count)::bigint as record_count
    from {{ ref("int_sensor_minute_aligned") }}
    where
        production_date in (select production_date from {{ touched }})
        or {{ var("verify_everything") | string | lower }}
    group by all
),

days as (
    select
        sensor_id,
        production_date,
        sum(record_count)::bigint as record_count
    from {{ ref("sensor_day") }}
    group by all
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
    days_of_minutes.sensor_id,
    days_of_minutes.production_date::timestamp as minute_at,
    days_of_minutes.record_count as raw_count,
    days.record_count as stored_count
from days_of_minutes
left join days
    on days_of_minutes.sensor_id = days.sensor_id
    and days_of_minutes.production_date = days.production_date
where days_of_minutes.record_count <> coalesce(days.record_count, 0)
