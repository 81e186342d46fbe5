-- One row per module that was repaired: the events between its first record and the end of its life.
{{ config(materialized="view") }}

with

modules as (
    select * from {{ ref("int_module_progressed") }}
),

reworks as (
    select * from {{ ref("int_rework_deduplicated") }}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

final as (
    select
        modules.serial_num,
        modules.product_name,
        modules.life_number,
        count(distinct reworks.rework_key) as rework_events,
        max(reworks.rework_timestamp) as last_reworked_at
    from modules
    cross join plant
    inner join reworks
        on modules.serial_num = reworks.serial_num
        and {{ within_life("reworks.rework_timestamp") }}
    group by modules.serial_num, modules.product_name, modules.life_number
)

select * from final
