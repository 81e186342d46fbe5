with

source as (
    select * from {{ source("raw", "quality_issue") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.issue_id,
        source.event_at,
        source.event_at_local,

        -- concerned
        source.product_name,
        source.test_name,
        source.machine_id,
        source.error_code,

        -- issue
        source.status,
        source.owner,
        source.method,
        source.text,
        source.action_due_at,
        source.action_due_at_local,

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
