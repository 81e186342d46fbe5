with

source as (
    select * from {{ source("raw", "ref_machines") }}
),

renamed as (
    select
        machine_id,
        line_id,
        description
    from source
    where _load_id = {{ latest_load("ref_machines") }}
)

select * from renamed
