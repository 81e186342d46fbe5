-- Weeks in which something may look different since the last green build: those of new records, and those of all
-- records of touched modules: each is in one of these weeks, and was before. Other units belong to no other week.
-- Closed weeks are never among them.
with

serial_weeks as (
    select * from {{ ref("int_serial_week") }}
),

new_loads as (
    select load_id from {{ ref("stg_load") }} where is_new
),

touched as (
    select
        serial_num,
        production_week_start,
        is_production
    from serial_weeks
    where serial_num in (select serial_num from {{ ref("int_touched_serial") }})
),

modules_touched as (
    select distinct serial_num from touched where is_production
),

final as (
    select production_week_start as week_start from serial_weeks where load_id in (select load_id from new_loads)
    union
    select production_week_start as week_start
    from touched
    where serial_num in (select serial_num from modules_touched)
)

select * from final
