with

limits as (
    select * from {{ ref("int_chart_limit") }}
),

versions as (
    select * from {{ ref("int_chart_version") }}
),

points as (
    select
        *,
        count(*) over (partition by chart_id, version, panel, sample_size) as size_count
    from {{ ref("control_chart_point") }}
),

-- the limits themselves, at the newest point of the commonest size
panels as (
    select
        chart_id,
        version,
        panel,
        min(chart_type) as chart_type,
        min(product_name) as product_name,
        min(test_name) as test_name,
        min(parameter) as parameter,
        min(machine_id) as machine_id,
        count(value) as point_count,
        {% for limit in ["lower_limit", "center_line", "upper_limit"] -%}
            max_by({{ limit }}, size_count * 1000000000 + point_number) filter (where {{ limit }} is not null)
                as {{ limit }},
        {% endfor -%}
        min(sample_size) <> max(sample_size) as sizes_vary
    from points
    group by chart_id, version, panel
),

final as (
    select
        -- keys
        panels.chart_id,
        panels.version,
        panels.panel,

        -- series
        limits.chart,
        panels.chart_type,
        panels.product_name,
        panels.test_name,
        panels.parameter,
        panels.machine_id,

        -- version
        versions.valid_from_local,
        versions.valid_until_local,
        versions.reason as rebase_reason,
        limits.status,
        panels.point_count,

        -- reference period
        limits.reference_from_local,
        limits.reference_to_local,
        limits.reference_count,
        limits.excluded_count,
        limits.mean,
        limits.sigma,
        limits.sigma_z,
        limits.sigma_z_limit,
        limits.is_laney,
        limits.constants,

        -- limits
        panels.sizes_vary,
        panels.lower_limit,
        panels.center_line,
        panels.upper_limit
    from panels
    inner join limits
        on panels.chart_id = limits.chart_id
        and panels.version = limits.version
    inner join versions
        on panels.chart_id = versions.chart_id
        and panels.version = versions.version
)

select * from final
