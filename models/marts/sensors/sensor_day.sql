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

sensors as (
    select * from {{ ref("int_sensor") }}
),

minutes as (
    select minutes.*
    from {{ ref("int_sensor_minute_aligned") }} as minutes
    inner join days_touched
        on minutes.sensor_id = days_touched.sensor_id
        and minutes.production_date = days_touched.production_date
),

-- minutes with a reading that may be of now: of a clock that is not wrong, or of a sensor that is broken
clocks as (
    select
        sensor_id,
        production_date,
        median(least_delay_s) as clock_delay_s,
        min(minute_at) as first_minute_at,
        max(minute_at) as last_minute_at,
        min_by(minute_at_local, minute_at) as first_minute_at_local,
        max_by(minute_at_local, minute_at) as last_minute_at_local,
        max(case when is_believed then minute_at end) as last_believed_at,
        max_by(trusted_count = 0, minute_at) filter (where is_believed) as is_bad,
        min_by(first_read_at_local, minute_at) filter (where trusted_count > 0) as first_read_at_local,
        max_by(last_read_at_local, minute_at) filter (where trusted_count > 0) as last_read_at_local
    from (
        select
            *,
            trusted_count > 0 or (bad_count > 0 and future_count = 0 and old_count = 0) as is_believed,
            minute_at_local + (first_read_at - minute_at) as first_read_at_local,
            minute_at_local + (last_read_at - minute_at) as last_read_at_local
        from minutes
    ) as minutes_believed
    group by sensor_id, production_date
),

hours as (
    select
        hours.*,
        {{ ratio("sum(hours.value_sum) over same_day", "sum(hours.trusted_count) over same_day") }} as mean_of_day
    from {{ ref("sensor_hour") }} as hours
    inner join days_touched
        on hours.sensor_id = days_touched.sensor_id
        and hours.production_date = days_touched.production_date
    window same_day as (partition by hours.sensor_id, hours.production_date)
),

days as (
    select
        sensor_id,
        production_date,
        min(source) as source,
        sum(minute_count)::bigint as minute_count,
        {% for part in ["record_count", "reading_count", "trusted_count"] -%}
            sum({{ part }})::bigint as {{ part }},
        {% endfor -%}
        sum(value_sum) as value_sum,
        {{ pooled_m2("mean_of_day") }} as value_m2,
        min(value_min) as value_min,
        max(value_max) as value_max,
        max_by(value_last, last_read_at) filter (where trusted_count > 0) as value_last,
        min(first_read_at) as first_read_at,
        max(last_read_at) as last_read_at,
        max(last_arrived_at) as last_arrived_at,
        sum(covered_s) as covered_by_hours_s,
        {% for part in [
            "out_of_limits_count", "future_count", "old_count", "bad_count", "uncertain_count", "conflict_count",
            "repeated_hour_count", "missing_hour_count",
        ] -%}
            sum({{ part }})::bigint as {{ part }},
        {% endfor -%}
        max(most_contents) as most_contents
    from hours
    group by sensor_id, production_date
),

joined as (
    select
        days.*,
        clocks.clock_delay_s,
        clocks.last_believed_at,
        clocks.is_bad,
        clocks.first_read_at_local,
        clocks.last_read_at_local,
        -- a day with a change of the clocks in it is longer or shorter
        86400e0 + {{ seconds_between("clocks.first_minute_at", "clocks.last_minute_at") }}
        - {{ seconds_between("clocks.first_minute_at_local", "clocks.last_minute_at_local") }} as day_s,
        least(days.covered_by_hours_s, greatest(day_s, coalesce(sensors.period_s, 0e0))) as covered_s,
        coalesce(
            sensors.period_s,
            {{ ratio(seconds_between("days.first_read_at", "days.last_read_at"), "days.trusted_count - 1") }}
        ) as period_s,
        -- between the first reading and the last: before and after, the sensor may have been off
        floor({{ seconds_between("days.first_read_at", "days.last_read_at") }} / sensors.period_s)::bigint + 1
            as expected_count,
        coalesce(
            abs(clocks.clock_delay_s) > coalesce(sensors.max_skew_s, {{ var("sensor_max_skew_s") }}), false
        ) as is_clock_wrong
    from days
    inner join clocks
        on days.sensor_id = clocks.sensor_id
        and days.production_date = clocks.production_date
    left join sensors on days.sensor_id = sensors.sensor_id
),

final as (
    select
        -- keys
        sensor_id,
        production_date,

        -- readings
        source,
        minute_count,
        record_count,
        reading_count,
        trusted_count,
        expected_count,
        period_s,

        -- trusted values
        value_sum,
        value_m2,
        value_min,
        value_max,
        value_last,
        first_read_at,
        first_read_at_local,
        last_read_at,
        last_read_at_local,
        last_arrived_at,
        covered_s,
        day_s,
        {{ sensor_ratios("day_s") }},

        -- what is wrong
        last_believed_at,
        is_bad,
        out_of_limits_count,
        future_count,
        old_count,
        bad_count,
        uncertain_count,
        conflict_count,
        most_contents,
        repeated_hour_count,
        missing_hour_count,
        clock_delay_s,
        is_clock_wrong
    from joined
)

select * from final
