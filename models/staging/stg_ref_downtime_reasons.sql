with

source as (
    select * from {{ source("raw", "ref_downtime_reasons") }}
),

renamed as (
    select
        reason_code,
        description,
        bucket,
        is_failure,
        loss_class,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_downtime_reasons") }}
)

select * from renamed
