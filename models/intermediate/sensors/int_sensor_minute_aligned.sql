-- One row per sensor and minute with readings: sensors that are read at different times stand side by side, by minute.
-- Nothing is filled in. Values are of trusted readings: of none that is ahead of its arrival, that came too long after
-- it was taken, or without a value.
{{ config(
    materialized="incremental",
    partition_by="production_date",
    meta={"of_readings": true},
    pre_hook="{{ clear_touched_minutes('minute_at') }}",
) }}

{% set crowded_times -%}
    select minute_at as read_at, minute_at_local as read_at_local from {{ ref("int_touched_sensor_minute") }} where is_crowded
{%- endset %}

with

touched as (
    select * from {{ ref("int_touched_sensor_minute") }}
),

sensors as (
    select * from {{ ref("int_sensor") }}
),

readings as (
    {{ judged_readings(ref("int_sensor_reading_deduplicated"), read_in_hours_of(crowded_times)) }}
),

crowded as (
    select
        sensor_id,
        minute_at,
        sum(copy_count)::bigint as record_count,
        count(*) as reading_count,
        count(case when content_count > 1 then 1 end) as conflict_count,
        max(content_count) as most_contents,
        {{ minute_parts() }}
    from readings
    group by sensor_id, minute_at
),

minutes as (
    {% for counts, minutes, condition in [
        (("record_count", "0::bigint", "1::bigint"), "touched", "not touched.is_crowded"),
        (("crowded.reading_count", "conflict_count", "most_contents"), "crowded", "touched.is_crowded"),
    ] %}
        select
            touched.sensor_id,
            touched.minute_at,
            touched.minute_at_local,
            touched.hour_at,
            touched.hour_at_local,
            touched.production_date,
            {% for part in [
                "source", "record_count", "trusted_count", "value_sum", "value_m2", "value_min", "value_max",
                "value_last", "first_read_at", "last_read_at", "last_arrived_at", "out_of_limits_count", "future_count",
                "old_count", "bad_count", "uncertain_count", "repeated_hour_count", "missing_hour_count",
                "least_delay_s",
            ] -%}
                {{ minutes }}.{{ part }},
            {% endfor -%}
            {{ counts[0] }} as reading_count,
            {{ counts[1] }} as conflict_count,
            {{ counts[2] }} as most_contents
        from touched
        {% if minutes == "crowded" -%}
            inner join crowded
                on touched.sensor_id = crowded.sensor_id
                and touched.minute_at = crowded.minute_at
        {%- endif %}
        where {{ condition }}
        {{ "union all" if not loop.last }}
    {% endfor %}
),

final as (
    select
        minutes.*,
        {{ ratio("60", "sensors.period_s") }} as expected_count,
        -- a reading stands for the time until the next; where no period is known, for its minute
        case
            when trusted_count = 0 then 0e0
            when sensors.period_s is null then 60e0
            else least(greatest(60e0, sensors.period_s), trusted_count * sensors.period_s)
        end as covered_s
    from minutes
    left join sensors on minutes.sensor_id = sensors.sensor_id
)

-- by time, so that what looks at some days finds them together
select * from final order by production_date, minute_at
