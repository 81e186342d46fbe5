with

source as (
    select * from {{ source("raw", "production_count") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.machine_id,
        source.interval_start_at,
        source.interval_start_at_local,
        source.interval_end_at,
        source.interval_end_at_local,
        source.product_name,
        source.work_order_id,

        -- quantities
        source.total_count,
        source.good_count,
        source.scrap_count,
        source.rework_count,

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
