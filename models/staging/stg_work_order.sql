with

source as (
    select * from {{ source("raw", "work_order") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.work_order_id,
        source.updated_at,
        source.updated_at_local,

        -- order
        source.product_name,
        source.quantity,
        source.due_at,
        source.due_at_local,
        source.priority,
        source.status,
        source.released_at,
        source.released_at_local,

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
