-- A view where it can be: the rows of int_sensor_minute_aligned, and nothing that could change without them.
with

minutes as (
    select * from {{ ref("int_sensor_minute_aligned") }}
),

final as (
    select
        -- keys
        sensor_id,
        minute_at,

        -- calendar
        minute_at_local,
        production_date,

        -- readings
        reading_count,
        trusted_count,
        expected_count,
        out_of_limits_count,

        -- trusted values
        value_sum,
        value_m2,
        value_min,
        value_max,
        value_last,
        first_read_at,
        last_read_at,
        covered_s,
        {{ sensor_ratios("60e0") }}
    from minutes
)

select * from final
