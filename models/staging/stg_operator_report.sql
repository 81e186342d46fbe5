with

source as (
    select * from {{ source("raw", "operator_report") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.machine_id,
        source.shift_date,
        source.shift_name,
        source.category,
        source.reason_code,

        -- what is reported
        source.minutes,
        source.quantity,
        source.comment,
        source.operator_id,

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
