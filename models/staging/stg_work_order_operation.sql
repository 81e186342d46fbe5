with

source as (
    select * from {{ source("raw", "work_order_operation") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.work_order_id,
        source.operation,
        source.sequence,

        -- place
        source.line_id,
        source.machine_id,

        -- work
        source.standard_rate_per_h,
        source.setup_min,
        source.depends_on,

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
