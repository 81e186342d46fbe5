with

source as (
    select * from {{ source("raw", "ref_standard_rates") }}
),

renamed as (
    select
        product_name,
        machine_id,
        valid_from,
        valid_to,
        rate_per_h,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_standard_rates") }}
)

select * from renamed
