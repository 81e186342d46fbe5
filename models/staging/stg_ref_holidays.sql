with

source as (
    select * from {{ source("raw", "ref_holidays") }}
),

renamed as (
    select
        holiday_date,
        line_id,
        name,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_holidays") }}
)

select * from renamed
