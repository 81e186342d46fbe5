with

source as (
    select * from {{ source("raw", "machine_cycle") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.machine_id,
        source.cycle_timestamp,
        source.cycle_timestamp_local,

        -- cycle
        source.part_present,
        source.product_name,
        source.lot_number,
        source.serial_num,

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
