with

points as (
    select * from {{ ref("int_chart_point") }}
),

limits as (
    select * from {{ ref("int_chart_limit") }}
),

plotted as (
    select * from {{ ref("int_chart_statistic") }}
    union all
    select * from {{ ref("int_chart_ewma") }}
    union all
    select * from {{ ref("int_chart_cusum") }}
),

-- points that no limits could be made for, and those without a value, are shown all the same
panels as (
    select
        points.chart_id,
        points.point_number,
        coalesce(plotted.panel, 'location') as panel,
        case when plotted.chart_id is null then points.value else plotted.value end as value,
        plotted.center_line,
        plotted.lower_limit,
        plotted.upper_limit,
        plotted.standard_error
    from points
    left join plotted
        on points.chart_id = plotted.chart_id
        and points.point_number = plotted.point_number
),

final as (
    select
        -- keys
        points.chart_id,
        panels.panel,
        points.point_number,

        -- series
        points.chart,
        points.chart_type,
        points.product_name,
        points.test_name,
        points.parameter,
        points.machine_id,

        -- when
        points.started_at,
        points.started_at_local,
        points.production_date,

        -- what is plotted
        points.sample_size,
        panels.value,
        panels.center_line,
        panels.lower_limit,
        panels.upper_limit,
        panels.standard_error,
        -- rounded, so that a point on a line lies on it whatever the order of the sums
        round((panels.value - panels.center_line) / panels.standard_error, 9) as deviation_sigma,

        -- limits
        points.version,
        coalesce(points.point_number between limits.first_point_number and limits.last_point_number, false)
        and not points.is_excluded as is_reference,
        points.is_excluded,
        points.exclusion_cause
    from panels
    inner join points
        on panels.chart_id = points.chart_id
        and panels.point_number = points.point_number
    left join limits
        on points.chart_id = limits.chart_id
        and points.version = limits.version
)

select * from final
