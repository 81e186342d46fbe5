with

source as (
    select * from {{ source("raw", "stream_gap") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.source,
        source.stream,
        source.gap_start_at,
        source.gap_start_at_local,
        source.noted_at,

        -- gap
        source.gap_end_at,
        source.gap_end_at_local,
        source.reason,
        source.is_replayed,
        source.lost_count,

        -- load
        source._hash as record_hash
    from source
    inner join loads on source._load_id = loads.load_id
)

select * from renamed
