with

source as (
    select * from {{ source("raw", "ref_yield_targets") }}
),

renamed as (
    select
        metric,
        product_name,
        test_name,
        low,
        reason
    from source
    where _load_id = {{ latest_load("ref_yield_targets") }}
)

select * from renamed
