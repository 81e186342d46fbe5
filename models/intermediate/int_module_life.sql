-- One row per time of a test of a serial number that was used again, among those being read: the module that it
-- belongs to. A serial number that comes back after serial_reuse_days is another module.
with

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

serial_weeks as (
    select * from {{ ref("int_serial_week") }}
),

-- most serial numbers live for a few weeks; these may be of two lives (a week and an hour of daylight saving less)
long_lived as (
    select serial_weeks.serial_num
    from serial_weeks
    cross join plant
    where serial_weeks.serial_num in (select serial_num from {{ ref("int_serial_read") }})
    group by serial_weeks.serial_num
    having
        bool_or(serial_weeks.is_production)
        and max(serial_weeks.production_week_start)
        > min(serial_weeks.production_week_start) + (max(plant.serial_reuse_days) - 8) * interval '1 day'
),

gaps as (
    select
        serial_num,
        product_name,
        test_timestamp,
        lag(test_timestamp) over (partition by serial_num, product_name order by test_timestamp)
        + serial_reuse_days * interval '1 day' as reusable_after
    from {{ ref("int_test_record_alive") }}
    where serial_num in (select serial_num from long_lived)
),

lives_numbered as (
    select distinct
        serial_num,
        product_name,
        test_timestamp,
        1 + (
            sum(case when test_timestamp > reusable_after then 1 else 0 end) over (
                partition by serial_num, product_name
                order by test_timestamp
                range between unbounded preceding and current row
            )
        )::bigint as life_number
    from gaps
)

select * from lives_numbered
