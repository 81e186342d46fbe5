-- Readings of the crowded minutes that are being written, one row per sensor and time. Of copies the first to arrive
-- counts; of readings that claim one time with different content, the one with the highest hash. content_count: how
-- many do. Other minutes hold no copies, and most readings never meet a window.
{{ config(materialized="view") }}

with

readings as (
    select readings.*
    from {{ ref("int_sensor_reading_open") }} as readings
    inner join {{ ref("int_touched_sensor_minute") }} as touched
        on readings.sensor_id = touched.sensor_id
        and readings.minute_at = touched.minute_at
    where touched.is_crowded
),

-- the wall time follows from the time, but who asks for some times is answered from their files alone by either
copies_ranked as (
    select
        *,
        min(arrived_at) over same_time as first_arrived_at,
        min(source) over same_time as first_source,
        count(*) over same_time as copy_count,
        dense_rank() over (partition by sensor_id, reading_at, reading_at_local order by record_hash) as content_count,
        row_number() over (
            partition by sensor_id, reading_at, reading_at_local order by record_hash desc, record_flags asc nulls first
        ) as copy_rank
    from readings
    window same_time as (partition by sensor_id, reading_at, reading_at_local)
),

final as (
    select
        sensor_id,
        reading_at,
        reading_at_local,
        minute_at,
        value,
        status,
        first_arrived_at as arrived_at,
        first_source as source,
        record_flags,
        copy_count,
        content_count::bigint as content_count
    from copies_ranked
    where copy_rank = 1
)

select * from final
