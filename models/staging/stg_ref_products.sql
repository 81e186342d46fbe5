with

source as (
    select * from {{ source("raw", "ref_products") }}
),

renamed as (
    select
        product_name,
        family,
        description
    from source
    where _load_id = {{ latest_load("ref_products") }}
)

select * from renamed
