with

source as (
    select * from {{ source("raw", "test_measurement") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.serial_num,
        source.test_name,
        source.test_timestamp,
        source.test_timestamp_local,
        source.parameter,

        -- value
        source.value,
        source.unit,
        source.lower_limit,
        source.upper_limit,

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
