with

source as (
    select * from {{ source("raw", "schedule_change") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.line_id,
        source.start_at,
        source.start_at_local,
        source.end_at,
        source.end_at_local,

        -- exception
        source.kind,
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
