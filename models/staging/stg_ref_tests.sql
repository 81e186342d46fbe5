with

source as (
    select * from {{ source("raw", "ref_tests") }}
),

renamed as (
    select
        test_name,
        description
    from source
    where _load_id = {{ latest_load("ref_tests") }}
)

select * from renamed
