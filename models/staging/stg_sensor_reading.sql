with

source as (
    select * from {{ source("raw", "sensor_reading") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.sensor_id,
        source.reading_at,
        source.reading_at_local,

        -- reading
        source.value,
        source.status,
        source.status_code,

        -- circumstances
        source.component_type,
        source.component_manufacturer,
        source.plant_name,
        source.lane_number,

        -- delivery
        source.server_at,
        source.arrived_at,

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
