with

source as (
    select * from {{ source("raw", "ref_anomaly_settings") }}
),

renamed as (
    select
        -- what the line is about
        entity_type,
        entity,
        metric,

        -- setting
        sensitivity,
        is_critical,
        reason,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_anomaly_settings") }}
)

select * from renamed
