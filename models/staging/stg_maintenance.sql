with

source as (
    select * from {{ source("raw", "maintenance") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.machine_id,
        source.start_at,
        source.start_at_local,
        source.end_at,
        source.end_at_local,
        source.kind,

        -- job
        source.work,
        source.technician_id,
        source.due_at,
        source.due_at_local,

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
