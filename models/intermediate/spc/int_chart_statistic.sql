-- One row per chart, panel (`location`, `spread`) and point: what is plotted, its centre line and limits, for points
-- of any size. `upper_width` is the distance of the upper limit from the centre line before it is cut at what is
-- possible.
{{ config(materialized="view") }}

with

points as (
    select
        points.chart_id,
        points.chart_type,
        points.point_number,
        points.sample_size::double as n,
        points.value,
        points.spread,
        points.is_of_singles,
        limits.mean,
        limits.sigma,
        case when limits.is_laney then limits.sigma_z else 1e0 end as sigma_z,
        limits.constants = 'rounded' as is_rounded,
        constants.d2,
        constants.a2_factor,
        constants.a3_factor,
        constants.d3_factor,
        constants.d4_factor,
        constants.b3_factor,
        constants.b4_factor,
        case when points.sample_size > 25 then {{ c4_of_many("points.sample_size") }} else constants.c4 end as c4
    from {{ ref("int_chart_point") }} as points
    inner join {{ ref("int_chart_limit") }} as limits
        on points.chart_id = limits.chart_id
        and points.version = limits.version
    left join {{ ref("const_chart_constant") }} as constants
        on constants.n = case when points.is_of_singles then 2 else points.sample_size end
        and limits.constants = constants.constants
    where limits.status <> 'no_variation' and points.chart_type not in ('ewma', 'cusum')
),

widths as (
    select
        *,
        case when chart_type = 'np' then n * mean else mean end as location_center,
        case chart_type
            when 'xbar-r' then coalesce(case when is_rounded then a2_factor * d2 end, 3e0 / sqrt(n)) * sigma
            when 'xbar-s' then coalesce(case when is_rounded then a3_factor * c4 end, 3e0 / sqrt(n)) * sigma
            when 'imr' then 3e0 * sigma
            when 'p' then 3e0 * sqrt(mean * (1e0 - mean) / n) * sigma_z
            when 'np' then 3e0 * sqrt(mean * (1e0 - mean) * n)
            when 'c' then 3e0 * sqrt(mean)
            when 'u' then 3e0 * sqrt(mean / n) * sigma_z
        end as location_width,
        case when chart_type = 'xbar-s' then c4 * sigma else d2 * sigma end as spread_center,
        case
            when chart_type <> 'xbar-s' then d3_factor
            else coalesce(b3_factor, greatest(0e0, 1e0 - 3e0 * sqrt(1e0 - c4 * c4) / c4))
        end as lower_factor,
        case
            when chart_type <> 'xbar-s' then d4_factor
            else coalesce(b4_factor, 1e0 + 3e0 * sqrt(1e0 - c4 * c4) / c4)
        end as upper_factor
    from points
),

final as (
    select
        chart_id,
        point_number,
        'location' as panel,
        value,
        location_center as center_line,
        case
            when chart_type in ('p', 'np', 'c', 'u') then greatest(0e0, location_center - location_width)
            else location_center - location_width
        end as lower_limit,
        case chart_type
            when 'p' then least(1e0, location_center + location_width)
            when 'np' then least(n, location_center + location_width)
            else location_center + location_width
        end as upper_limit,
        location_width / 3e0 as standard_error
    from widths
    where value is not null
    union all
    select
        chart_id,
        point_number,
        'spread' as panel,
        spread as value,
        spread_center as center_line,
        lower_factor * spread_center as lower_limit,
        upper_factor * spread_center as upper_limit,
        (upper_factor - 1e0) * spread_center / 3e0 as standard_error
    from widths
    where chart_type in ('xbar-r', 'xbar-s', 'imr') and spread is not null
)

select * from final
