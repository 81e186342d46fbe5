-- EWMA charts: one row per point. The average is Σ λ(1-λ)^(t-j) x_j over all points of the limit version, by blocks
-- so long that (1-λ)^B < 1e-16: what came before the last two blocks no longer shows. Nothing is carried from run to
-- run. Width of the limits: L σ √(λ² Σ (1-λ)^(2(t-j)) / n_j), for n values each λ/(2-λ) (1-(1-λ)^(2t)) / n.
{{ config(materialized="view") }}

with

numbered as (
    select
        points.chart_id,
        points.version,
        points.point_number,
        points.value - limits.mean as deviation,
        case when points.is_of_singles then 1e0 else points.sample_size::double end as n,
        limits.mean,
        limits.sigma,
        lines.ewma_weight as weight,
        lines.ewma_width as width,
        1e0 - lines.ewma_weight as remainder,
        ceil(ln(1e-16) / ln(1e0 - lines.ewma_weight))::bigint as block_length,
        (row_number() over (partition by points.chart_id, points.version order by points.point_number))::bigint - 1
            as position
    from {{ ref("int_chart_point") }} as points
    inner join {{ ref("int_control_chart") }} as lines on points.chart = lines.chart
    inner join {{ ref("int_chart_limit") }} as limits
        on points.chart_id = limits.chart_id
        and points.version = limits.version
    where points.chart_type = 'ewma' and points.value is not null and limits.status <> 'no_variation'
),

blocks as (
    select
        *,
        floor(position / block_length)::bigint as block,
        (position % block_length)::double as place
    from numbered
),

summed as (
    select
        *,
        weight * power(remainder, place) * sum(deviation * power(remainder, -place)) over in_block as average,
        weight
        * weight
        * power(remainder, 2e0 * place)
        * sum(power(remainder, -2e0 * place) / n) over in_block as variance
    from blocks
    window in_block as (partition by chart_id, version, block order by point_number)
),

block_ends as (
    select
        chart_id,
        version,
        block + 1 as next_block,
        max_by(average, place) as average,
        max_by(variance, place) as variance
    from summed
    group by chart_id, version, block
),

joined as (
    select
        summed.chart_id,
        summed.point_number,
        summed.mean,
        summed.mean + summed.average + power(summed.remainder, summed.place + 1e0) * coalesce(block_ends.average, 0e0)
            as value,
        summed.sigma * sqrt(
            summed.variance + power(summed.remainder, 2e0 * (summed.place + 1e0)) * coalesce(block_ends.variance, 0e0)
        ) as standard_error,
        summed.width
    from summed
    left join block_ends
        on summed.chart_id = block_ends.chart_id
        and summed.version = block_ends.version
        and summed.block = block_ends.next_block
),

final as (
    select
        chart_id,
        point_number,
        'location' as panel,
        value,
        mean as center_line,
        mean - width * standard_error as lower_limit,
        mean + width * standard_error as upper_limit,
        standard_error
    from joined
)

select * from final
