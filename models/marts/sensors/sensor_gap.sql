with

now as (
    select * from {{ ref("int_sensor_as_of") }}
),

-- the last reading of a day, and the first of the next day that has any
days as (
    select
        sensor_id,
        production_date,
        period_s,
        last_read_at as gap_start_at,
        last_read_at_local as gap_start_at_local,
        lead(first_read_at) over following as gap_end_at,
        lead(first_read_at_local) over following as gap_end_at_local
    from {{ ref("sensor_day") }}
    where trusted_count > 0
    window following as (partition by sensor_id order by production_date)
),

gaps as (
    select
        sensor_id,
        gap_start_at,
        gap_start_at_local,
        gap_end_at,
        gap_end_at_local,
        gap_end_at as known_until_at,
        period_s,
        production_date
    from {{ ref("int_sensor_gap") }}
    union all
    select
        days.sensor_id,
        days.gap_start_at,
        days.gap_start_at_local,
        days.gap_end_at,
        days.gap_end_at_local,
        coalesce(days.gap_end_at, now.as_of_at) as known_until_at,
        days.period_s,
        days.production_date
    from days
    cross join now
    where {{ is_sensor_gap("days.gap_start_at", "coalesce(days.gap_end_at, now.as_of_at)", "days.period_s") }}
),

final as (
    select
        -- keys
        gaps.sensor_id,
        gaps.gap_start_at,

        -- place
        sensors.machine_id,
        sensors.line_id,

        -- calendar
        gaps.gap_start_at_local,
        gaps.gap_end_at,
        gaps.gap_end_at_local,
        gaps.production_date,

        -- gap
        gaps.gap_end_at is null as is_open,
        {{ seconds_between("gaps.gap_start_at", "gaps.known_until_at") }} as duration_s,
        gaps.period_s,
        -- those due between the two readings; one that comes a little early or late is no other
        case
            when is_open then floor({{ ratio("duration_s", "gaps.period_s") }})::bigint
            else round({{ ratio("duration_s", "gaps.period_s") }})::bigint - 1
        end as expected_count
    from gaps
    left join {{ ref("int_sensor") }} as sensors on gaps.sensor_id = sensors.sensor_id
)

select * from final
