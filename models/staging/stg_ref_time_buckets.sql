with

source as (
    select * from {{ source("raw", "ref_time_buckets") }}
),

renamed as (
    select
        bucket,
        counts_as,
        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_time_buckets") }}
)

select * from renamed
