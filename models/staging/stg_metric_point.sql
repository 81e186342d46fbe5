with

source as (
    select * from {{ source("raw", "metric_point") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.entity,
        source.metric,
        source.point_at,
        source.point_at_local,

        -- point
        source.value,
        source.period_s,

        -- place
        source.machine_id,
        source.line_id,

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
