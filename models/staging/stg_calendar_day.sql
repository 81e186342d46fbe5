with

source as (
    select * from {{ source("raw", "calendar_day") }}
),

renamed as (
    select
        production_date,
        day_start_at,
        day_start_at_local,
        day_end_at,
        day_end_at_local,
        offset_changed_at
    from source
    where _load_id = {{ latest_load("calendar_day") }}
)

select * from renamed
