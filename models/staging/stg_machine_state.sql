with

source as (
    select * from {{ source("raw", "machine_state") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.machine_id,
        source.state_start_at,
        source.state_start_at_local,

        -- state
        source.state,
        source.reason_code,
        source.work_order_id,
        source.comment,

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
