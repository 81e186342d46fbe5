-- Weeks in which something may look different since the last green build: those of new records, and those of all
-- records of touched modules: each is in one of these weeks, and was before. Other units belong to no other week.
-- Closed weeks are never among them.
with

records as (
    select * from {{ ref("int_test_record_open") }}
),

modules_touched as (
    select distinct serial_num
    from records
    where
        run_purpose = 'production'
        and serial_num in (select serial_num from {{ ref("int_touched_serial") }})
),

final as (
    select distinct production_week_start as week_start
    from records
    where is_new or serial_num in (select serial_num from modules_touched)
)

select * from final
