{{ config(
    materialized="incremental",
    partition_by="production_date",
    meta={"of_readings": true},
    pre_hook="{{ clear_touched_minutes('hour_at') }}",
) }}

with

hours_touched as (
    select distinct
        sensor_id,
        hour_at,
        production_date
    from {{ ref("int_touched_sensor_minute") }}
),

sensors as (
    select * from {{ ref("int_sensor") }}
),

minutes as (
    select
        minutes.*,
        {{ ratio("sum(minutes.value_sum) over same_hour", "sum(minutes.trusted_count) over same_hour") }}
            as mean_of_hour
    from {{ ref("int_sensor_minute_aligned") }} as minutes
    inner join hours_touched
        on minutes.sensor_id = hours_touched.sensor_id
        and minutes.hour_at = hours_touched.hour_at
        and minutes.production_date = hours_touched.production_date
    window same_hour as (partition by minutes.sensor_id, minutes.hour_at)
),

hours as (
    select
        sensor_id,
        hour_at,
        min(hour_at_local) as hour_at_local,
        min(source) as source,
        count(*) as minute_count,
        {% for part in ["record_count", "reading_count", "trusted_count"] -%}
            sum({{ part }})::bigint as {{ part }},
        {% endfor -%}
        sum(value_sum) as value_sum,
        {{ pooled_m2("mean_of_hour") }} as value_m2,
        min(value_min) as value_min,
        max(value_max) as value_max,
        max_by(value_last, last_read_at) filter (where trusted_count > 0) as value_last,
        min(first_read_at) as first_read_at,
        max(last_read_at) as last_read_at,
        max(last_arrived_at) as last_arrived_at,
        sum(covered_s) as covered_by_minutes_s,
        {% for part in [
            "out_of_limits_count", "future_count", "old_count", "bad_count", "uncertain_count", "conflict_count",
            "repeated_hour_count", "missing_hour_count",
        ] -%}
            sum({{ part }})::bigint as {{ part }},
        {% endfor -%}
        max(most_contents) as most_contents,
        production_date
    from minutes
    group by sensor_id, hour_at, production_date
),

covered as (
    select
        hours.*,
        {{ ratio("3600", "sensors.period_s") }} as expected_count,
        least(hours.covered_by_minutes_s, greatest(3600e0, coalesce(sensors.period_s, 0e0))) as covered_s
    from hours
    left join sensors on hours.sensor_id = sensors.sensor_id
),

final as (
    select
        -- keys
        sensor_id,
        hour_at,

        -- calendar
        hour_at_local,
        production_date,

        -- readings
        source,
        minute_count,
        record_count,
        reading_count,
        trusted_count,
        expected_count,

        -- trusted values
        value_sum,
        value_m2,
        value_min,
        value_max,
        value_last,
        first_read_at,
        last_read_at,
        last_arrived_at,
        covered_s,
        {{ sensor_ratios("3600e0") }},

        -- what is wrong
        out_of_limits_count,
        future_count,
        old_count,
        bad_count,
        uncertain_count,
        conflict_count,
        most_contents,
        repeated_hour_count,
        missing_hour_count
    from covered
)

select * from final order by production_date, hour_at
