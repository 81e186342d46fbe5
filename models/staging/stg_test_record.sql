with

source as (
    select * from {{ source("raw", "test_record") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        -- keys
        source.serial_num,
        source.product_name,
        source.test_name,
        source.machine_id,
        source.test_timestamp,
        source.test_timestamp_local,

        -- result
        source.test_result,
        source.test_duration_s,
        source.error_code,
        coalesce(source.run_purpose, 'production') as run_purpose,

        -- circumstances
        source.fixture_id,
        source.fixture_slot,
        source.lot_number,
        source.work_order_id,
        source.software_version,
        source.revision,

        -- study of the measurement
        source.study_id,
        source.part_id,
        source.trial,
        source.operator_id,

        -- load
        loads.load_id,
        loads.is_new,
        source._hash as record_hash,
        source._flags as record_flags
    from source
    inner join loads on source._load_id = loads.load_id
)

select * from renamed
