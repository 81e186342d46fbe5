with

source as (
    select * from {{ source("raw", "calendar_shift") }}
),

renamed as (
    select
        coalesce(line_id, '') as line_id,
        shift_date,
        shift_name,
        crew,
        shift_start_at,
        shift_start_at_local,
        shift_end_at,
        shift_end_at_local,
        kind,
        name
    from source
    where _load_id = {{ latest_load("calendar_shift") }}
)

select * from renamed
