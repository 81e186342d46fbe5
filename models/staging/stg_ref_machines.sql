with

source as (
    select * from {{ source("raw", "ref_machines") }}
),

renamed as (
    select
        machine_id,
        line_id,
        is_constraint,
        line_position,
        description,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_machines") }}
)

select * from renamed
