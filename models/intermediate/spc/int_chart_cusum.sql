-- CUSUM charts: one row per point and side, in standard errors of the point. C = max(0, C before + z - k) from 0 at
-- the start of the limit version is the running sum of z - k above its own minimum so far, so that a window gives it,
-- whatever came when; it goes on after a signal. The lower side is plotted below 0.
{{ config(materialized="view") }}

with

numbered as (
    select
        points.chart_id,
        points.version,
        points.point_number,
        lines.cusum_limit,
        lines.cusum_slack,
        (points.value - limits.mean) / limits.sigma
        * sqrt(case when points.is_of_singles then 1e0 else points.sample_size::double end) as z
    from {{ ref("int_chart_point") }} as points
    inner join {{ ref("int_control_chart") }} as lines on points.chart = lines.chart
    inner join {{ ref("int_chart_limit") }} as limits
        on points.chart_id = limits.chart_id
        and points.version = limits.version
    where points.chart_type = 'cusum' and points.value is not null and limits.status <> 'no_variation'
),

summed as (
    select
        *,
        sum(z - cusum_slack) over so_far as high_sum,
        sum(-z - cusum_slack) over so_far as low_sum
    from numbered
    window so_far as (partition by chart_id, version order by point_number)
),

raised as (
    select
        *,
        high_sum - least(0e0, min(high_sum) over so_far) as high,
        low_sum - least(0e0, min(low_sum) over so_far) as low
    from summed
    window so_far as (partition by chart_id, version order by point_number)
),

final as (
    select
        chart_id,
        point_number,
        'cusum_high' as panel,
        high as value,
        0e0 as center_line,
        null::double as lower_limit,
        cusum_limit as upper_limit,
        null::double as standard_error
    from raised
    union all
    select
        chart_id,
        point_number,
        'cusum_low' as panel,
        -low as value,
        0e0 as center_line,
        -cusum_limit as lower_limit,
        null::double as upper_limit,
        null::double as standard_error
    from raised
)

select * from final
