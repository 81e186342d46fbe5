with

source as (
    select * from {{ source("raw", "rework") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.serial_num,
        source.rework_timestamp,
        source.component,
        source.action,

        -- what was done
        source.cause_error_code,
        source.duration_s,

        -- load
        loads.load_id,
        loads.is_new,
        source._hash as record_hash
    from source
    inner join loads on source._load_id = loads.load_id
)

select * from renamed
