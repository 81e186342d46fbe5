with

source as (
    select * from {{ source("raw", "ref_sensors") }}
),

renamed as (
    select
        -- key
        sensor_id,

        -- place
        machine_id,
        line_id,

        -- what it measures
        quantity,
        unit,
        lower_limit,
        upper_limit,

        -- when
        period_s,
        max_delay_s,
        max_skew_s,

        reason,
        description,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_sensors") }}
)

select * from renamed
