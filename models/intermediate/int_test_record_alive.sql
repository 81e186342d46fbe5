-- Test records that a module can still be made of: those of open weeks, without those of modules whose load week is
-- closed. `closed_lives`: how many lives of the serial number are over with these; NULL for none.
{{ config(materialized="view") }}

with

records as (
    select * from {{ ref("int_test_record_open") }}
),

continued as (
    select * from {{ ref("int_module_continued") }}
),

final as (
    select
        records.*,
        continued.life_number as closed_lives
    from records
    left join continued
        on records.serial_num = continued.serial_num
        and records.product_name = continued.product_name
    where continued.serial_num is null or records.test_timestamp > continued.continued_until
)

select * from final
