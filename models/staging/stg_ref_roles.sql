with

source as (
    select * from {{ source("raw", "ref_roles") }}
),

renamed as (
    select
        role,
        page,
        title
    from source
    where _load_id = {{ latest_load("ref_roles") }}
)

select * from renamed
