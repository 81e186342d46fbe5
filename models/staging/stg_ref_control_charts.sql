with

source as (
    select * from {{ source("raw", "ref_control_charts") }}
),

renamed as (
    select
        -- key
        chart,
        chart_type,

        -- series
        product_name,
        test_name,
        parameter,
        machine_id,
        metric,

        -- subgroups
        subgroup_by,
        subgroup_size,

        -- signals
        rules,
        is_critical,
        run_gap_h,

        -- limits
        reference_subgroups,
        constants,
        laney,
        known_mean,
        known_sigma,
        target,
        ewma_weight,
        ewma_width,
        cusum_slack,
        cusum_limit,

        -- why
        reason,

        _row as line_number
    from source
    where _load_id = {{ latest_load("ref_control_charts") }}
)

select * from renamed
