with

source as (
    select * from {{ source("raw", "ref_chart_exclusions") }}
),

renamed as (
    select
        -- series
        chart,
        product_name,
        test_name,
        parameter,
        machine_id,

        -- when
        excluded_from,
        excluded_from_local,
        excluded_to,
        excluded_to_local,

        -- why
        cause,

        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_chart_exclusions") }}
)

select * from renamed
