with

source as (
    select * from {{ source("raw", "ref_breaks") }}
),

renamed as (
    select
        pattern,
        line_id,
        shift_name,
        start_time,
        end_time,
        name,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_breaks") }}
)

select * from renamed
