with

source as (
    select * from {{ source("raw", "ref_shift_patterns") }}
),

renamed as (
    select
        pattern,
        cycle_days,
        cycle_day,
        shift_name,
        start_time,
        end_time,
        crew,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_shift_patterns") }}
)

select * from renamed
