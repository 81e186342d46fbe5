with

source as (
    select * from {{ source("raw", "ref_anomaly_parameters") }}
),

renamed as (
    select
        parameter,
        value,
        reason,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_anomaly_parameters") }}
)

select * from renamed
