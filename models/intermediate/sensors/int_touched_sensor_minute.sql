-- One row per sensor and minute with readings that came since the last green build; on Spark of the days with such
-- readings. These minutes are written again, from all of their readings.
-- is_crowded: two of them lie within a second. Only those can be copies of one reading: to look for copies among
-- all readings takes five times as long as all the rest.
{% set new_times -%}
    select reading_at as read_at, reading_at_local as read_at_local from {{ ref("int_sensor_reading_open") }} where is_new
{%- endset %}

with

readings as (
    select * from {{ ref("int_sensor_reading_open") }} where {{ read_in_hours_of(new_times) }}
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
        bit_count(bit_or(1::bigint << extract(second from reading_at)::int)) as second_count
    from readings
    group by sensor_id, minute_at
    {% if not rewrites_whole_weeks() %}
        having bool_or(is_new)
    {% endif %}
),

final as (
    select
        minutes.sensor_id,
        minutes.minute_at,
        minutes.minute_at_local,
        {{ production_date("minutes.minute_at_local") }} as production_date,
        minutes.record_count,
        minutes.second_count < minutes.record_count as is_crowded
    from minutes
    cross join plant
)

select * from final
