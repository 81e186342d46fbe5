with

source as (
    select * from {{ source("raw", "process_change") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.entity,
        source.metric,
        source.changed_at,
        source.changed_at_local,

        -- what was changed
        source.note,

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
