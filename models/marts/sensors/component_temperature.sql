{% set span_starts -%}
    select as_of_at - {{ var("component_maximum_min") }} * interval '1 minute' as span_start from {{ ref("int_sensor_as_of") }}
    where as_of_at is not null
{%- endset %}

with

now as (
    select
        as_of_at,
        as_of_at - {{ var("component_over_limit_min") }} * interval '1 minute' as over_limit_from_at,
        as_of_at - {{ var("component_maximum_min") }} * interval '1 minute' as maximum_from_at
    from {{ ref("int_sensor_as_of") }}
),

readings_recent as (
    select *
    from {{ ref("int_sensor_reading_open") }}
    where
        (component_type is not null or component_manufacturer is not null)
        -- written out, so that files of older readings are left out; a trusted one is not two days ahead
        and {{ within_spans("reading_at", span_starts, hours=48) }}
),

minutes_with_copies as (
    select
        minutes.sensor_id,
        minutes.minute_at
    from {{ ref("int_sensor_minute_aligned") }} as minutes
    inner join now on minutes.minute_at >= now.maximum_from_at - interval '1 minute'
    where minutes.record_count > minutes.reading_count
),

-- of copies and of readings that claim one time, as everywhere, the first arrival and the highest hash count
copies_ranked as (
    select
        readings_recent.*,
        min(arrived_at) over (partition by readings_recent.sensor_id, reading_at) as first_arrived_at,
        row_number() over (
            partition by readings_recent.sensor_id, reading_at order by record_hash desc, record_flags asc nulls first
        ) as copy_rank
    from readings_recent
    inner join minutes_with_copies
        on readings_recent.sensor_id = minutes_with_copies.sensor_id
        and readings_recent.minute_at = minutes_with_copies.minute_at
),

readings_once as (
    {% for relation, arrived_at, condition in [
        ("readings_recent", "arrived_at", "minutes_with_copies.minute_at is null"),
        ("copies_ranked", "first_arrived_at", "copy_rank = 1"),
    ] %}
        select
            {% for column in [
                "sensor_id", "reading_at", "value", "status", "record_flags", "component_type",
                "component_manufacturer", "lane_number",
            ] -%}
                {{ relation }}.{{ column }},
            {% endfor -%}
            {{ relation }}.{{ arrived_at }} as arrived_at
        from {{ relation }}
        {% if relation == "readings_recent" -%}
            left join minutes_with_copies
                on readings_recent.sensor_id = minutes_with_copies.sensor_id
                and readings_recent.minute_at = minutes_with_copies.minute_at
        {%- endif %}
        where {{ condition }}
        {{ "union all" if not loop.last }}
    {% endfor %}
),

readings as (
    {{ judged_readings("readings_once") }}
),

recent as (
    select
        coalesce(readings.component_type, '(none)') as component_type,
        coalesce(readings.component_manufacturer, '(none)') as component_manufacturer,
        coalesce(readings.lane_number, '(none)') as lane_number,
        readings.sensor_id,
        readings.value,
        readings.reading_at,
        readings.upper_limit,
        readings.reading_at > now.over_limit_from_at as is_in_over_limit_span,
        coalesce(readings.value > readings.upper_limit, false) as is_over_limit,
        now.as_of_at
    from readings
    left join {{ ref("int_sensor") }} as sensors on readings.sensor_id = sensors.sensor_id
    cross join now
    where
        readings.is_trusted
        and readings.reading_at > now.maximum_from_at
        and coalesce(lower(sensors.quantity), 'temperature') = 'temperature'
),

sensors as (
    select
        component_type,
        component_manufacturer,
        lane_number,
        sensor_id,
        max(as_of_at) as as_of_at,
        max_by(value, reading_at) as value_now,
        max(reading_at) as last_read_at,
        max(value) as value_max,
        count(case when is_in_over_limit_span then 1 end) as recent_count,
        count(case when is_over_limit and is_in_over_limit_span then 1 end) as over_limit_count,
        min(upper_limit) as upper_limit
    from recent
    group by component_type, component_manufacturer, lane_number, sensor_id
),

sensors_compared as (
    select
        *,
        max(value_max) over (partition by component_type, component_manufacturer, lane_number) as highest
    from sensors
),

final as (
    select
        -- keys
        component_type,
        component_manufacturer,
        lane_number,

        -- now
        max(as_of_at) as as_of_at,
        count(*) as sensor_count,
        max(last_read_at) as last_read_at,
        max(value_now) as value_now,
        min(upper_limit) as upper_limit,

        -- the last minutes
        sum(recent_count)::bigint as recent_count,
        sum(over_limit_count)::bigint as over_limit_count,
        sum(over_limit_count) > 0 as is_over_limit,
        max(value_max) as value_max,
        min(case when value_max = highest then sensor_id end) as hottest_sensor_id
    from sensors_compared
    group by component_type, component_manufacturer, lane_number
)

select * from final
