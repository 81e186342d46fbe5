with

source as (
    select * from {{ source("raw", "ref_line_shifts") }}
),

renamed as (
    select
        line_id,
        pattern,
        valid_from,
        valid_to,
        cycle_start,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_line_shifts") }}
)

select * from renamed
