with

source as (
    select * from {{ source("raw", "ref_machine_states") }}
),

renamed as (
    select
        state,
        reason_code,
        bucket,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_machine_states") }}
)

select * from renamed
