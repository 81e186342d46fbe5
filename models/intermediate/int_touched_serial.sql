-- Serial numbers whose modules may look different since the last green build.
with

new_loads as (
    select load_id from {{ ref("stg_load") }} where is_new
),

final as (
    select serial_num from {{ ref("int_serial_week") }} where load_id in (select load_id from new_loads)
    union
    select serial_num from {{ ref("stg_rework") }} where is_new
    union
    select serial_num from {{ ref("stg_disposition") }} where is_new
)

select * from final
