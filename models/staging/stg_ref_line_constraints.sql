with

source as (
    select * from {{ source("raw", "ref_line_constraints") }}
),

renamed as (
    select
        line_id,
        machine_id,
        product_name,
        valid_from,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_line_constraints") }}
)

select * from renamed
