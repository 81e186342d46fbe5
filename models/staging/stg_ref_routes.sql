with

source as (
    select * from {{ source("raw", "ref_routes") }}
),

renamed as (
    select
        product_name,
        test_name,
        sequence,
        max_attempts
    from source
    where _load_id = {{ latest_load("ref_routes") }}
)

select * from renamed
