with

now as (
    select * from {{ ref("int_sensor_as_of") }}
),

days as (
    select * from {{ ref("sensor_day") }}
),

newest as (
    select
        sensor_id,
        max(last_read_at) as last_read_at,
        max_by(last_read_at_local, last_read_at) filter (where trusted_count > 0) as last_read_at_local,
        max_by(value_last, last_read_at) filter (where trusted_count > 0) as value_last,
        max_by(period_s, last_read_at) filter (where trusted_count > 0 and period_s is not null) as period_s,
        max_by(is_bad, last_believed_at) filter (where last_believed_at is not null) as is_bad,
        sum(reading_count)::bigint as reading_count
    from days
    group by sensor_id
),

lines_placed as (
    select
        *,
        row_number() over (partition by line_id order by sensor_id) - 1 as place
    from {{ ref("int_sensor") }}
),

sensors as (
    select
        coalesce(lines_placed.sensor_id, newest.sensor_id) as sensor_id,
        lines_placed.machine_id,
        lines_placed.line_id,
        lines_placed.quantity,
        lines_placed.unit,
        lines_placed.lower_limit,
        lines_placed.upper_limit,
        lines_placed.sensor_id is not null as is_known,
        case when line_id is not null then floor(place / {{ line_places() }})::bigint + 1 end as line_block,
        case when line_id is not null then (place % {{ line_places() }} + 1)::bigint end as line_place,
        coalesce(lines_placed.period_s, newest.period_s) as period_s,
        newest.last_read_at,
        newest.last_read_at_local,
        newest.value_last,
        newest.is_bad,
        coalesce(newest.reading_count, 0) as reading_count
    from lines_placed
    full outer join newest on lines_placed.sensor_id = newest.sensor_id
),

final as (
    select
        -- key
        sensors.sensor_id,

        -- place
        sensors.machine_id,
        sensors.line_id,
        sensors.line_block,
        sensors.line_place,

        -- what it measures
        sensors.quantity,
        sensors.unit,
        sensors.lower_limit,
        sensors.upper_limit,
        sensors.period_s,
        sensors.is_known,

        -- now
        now.as_of_at,
        sensors.value_last,
        sensors.last_read_at,
        sensors.last_read_at_local,
        -- a reading may be a moment ahead of its arrival
        case
            when sensors.last_read_at is not null
                then greatest(0e0, {{ seconds_between("sensors.last_read_at", "now.as_of_at") }})
        end as age_s,
        case
            when sensors.reading_count = 0 then 'never_read'
            when coalesce({{ is_sensor_gap("sensors.last_read_at", "now.as_of_at", "sensors.period_s") }}, false)
                then 'silent'
            when sensors.is_bad or sensors.last_read_at is null then 'bad'
            when sensors.value_last > sensors.upper_limit then 'above_limit'
            when sensors.value_last < sensors.lower_limit then 'below_limit'
            else 'ok'
        end as state
    from sensors
    cross join now
)

select * from final
