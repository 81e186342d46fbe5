with

source as (
    select * from {{ source("raw", "staffing") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.shift_date,
        source.shift_name,
        source.line_id,

        -- people
        source.headcount,
        source.planned_headcount,
        source.operator_ids,

        -- set-up
        source.equipment_configuration,

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
