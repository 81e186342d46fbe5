with

source as (
    select * from {{ source("raw", "ref_lines") }}
),

renamed as (
    select
        line_id,
        description,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_lines") }}
)

select * from renamed
