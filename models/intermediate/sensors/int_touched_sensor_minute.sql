-- One row per sensor and minute with readings that came since the last green build; on Spark of the days with such
-- readings. These minutes are written again, from all of their readings. The one pass over readings: with each minute
-- come its parts, right where no reading is a copy of another.
-- is_crowded: two readings may be copies of one, since some lie within the same second, and also within the same second
-- of a clock that is half a second late (a reading once a second that comes now before, now after the full second is
-- within the same second as its neighbour on one of these clocks alone).
{% set new_times -%}
    select reading_at as read_at, reading_at_local as read_at_local from {{ ref("int_sensor_reading_open") }} where is_new
{%- endset %}

with

readings as (
    {{ judged_readings(ref("int_sensor_reading_open"), read_in_hours_of(new_times)) }}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

minutes as (
    select
        sensor_id,
        minute_at,
        date_trunc('minute', min(reading_at_local))::timestamp as minute_at_local,
        count(*) as record_count,
        bit_count(bit_or(1::bigint << extract(second from reading_at)::int)) as second_count,
        bit_count(bit_or(1::bigint << floor({{ seconds_between("minute_at", "reading_at") }} + 0.5e0)::int))
            as later_second_count,
        {{ minute_parts() }}
    from readings
    group by sensor_id, minute_at
    {% if not rewrites_whole_weeks() %}
        having bool_or(is_new)
    {% endif %}
),

final as (
    select
        minutes.*,
        {{ sensor_hour_local("minutes.minute_at_local") }} as hour_at_local,
        minutes.minute_at - (minutes.minute_at_local - hour_at_local) as hour_at,
        {{ production_date("minutes.minute_at_local") }} as production_date,
        greatest(minutes.second_count, minutes.later_second_count) < minutes.record_count as is_crowded
    from minutes
    cross join plant
)

select * from final
