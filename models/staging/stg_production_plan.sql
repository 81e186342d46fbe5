with

source as (
    select * from {{ source("raw", "production_plan") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.product_name,
        source.line_id,
        source.planned_start_at,
        source.planned_start_at_local,
        source.work_order_id,
        source.shift_name,

        -- plan
        source.planned_end_at,
        source.planned_end_at_local,
        source.planned_quantity,

        -- load
        loads.load_id,
        loads.source,
        loads.is_new,
        source._hash as record_hash,
        source._flags as record_flags
    from source
    inner join loads on source._load_id = loads.load_id
)

select * from renamed
