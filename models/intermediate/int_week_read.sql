-- Weeks that hold a record of a serial number in the weeks being written.
with

serial_weeks as (
    select * from {{ ref("int_serial_week") }}
),

touched_weeks as (
    select * from {{ ref("int_touched_week") }}
),

serials_touched as (
    select serial_num
    from serial_weeks
    where production_week_start in (select week_start from touched_weeks)
),

-- units that are never in production have nothing to do with their other weeks
modules as (
    select distinct serial_num
    from serial_weeks
    where is_production and serial_num in (select serial_num from serials_touched)
),

final as (
    select week_start from touched_weeks
    union
    select production_week_start as week_start
    from serial_weeks
    where serial_num in (select serial_num from modules)
)

select * from final
