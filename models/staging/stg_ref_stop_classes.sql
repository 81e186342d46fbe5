with

source as (
    select * from {{ source("raw", "ref_stop_classes") }}
),

renamed as (
    select
        machine_id,
        stop_class,
        longer_than_s,
        counts_as,
        is_failure,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_stop_classes") }}
)

select * from renamed
