with

source as (
    select * from {{ source("raw", "disposition") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.serial_num,
        source.decided_at,

        -- decision
        lower(source.decision) as decision,
        source.reason,

        -- load
        loads.load_id,
        loads.is_new,
        source._hash as record_hash
    from source
    inner join loads on source._load_id = loads.load_id
)

select * from renamed
