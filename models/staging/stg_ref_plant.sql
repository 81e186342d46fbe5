with

source as (
    select * from {{ source("raw", "ref_plant") }}
),

renamed as (
    select
        name as plant_name,
        timezone,
        production_day_start_minutes,
        serial_reuse_days,
        wip_stale_days
    from source
    where _load_id = {{ latest_load("ref_plant") }}
)

select * from renamed
