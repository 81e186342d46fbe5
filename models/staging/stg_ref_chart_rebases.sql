with

source as (
    select * from {{ source("raw", "ref_chart_rebases") }}
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
        valid_from,
        valid_from_local,
        reference_from,
        reference_from_local,
        reference_to,
        reference_to_local,

        -- why
        reason,

        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_chart_rebases") }}
)

select * from renamed
