-- One row per machine and moment at which three of its series or more have a point: how far off they are together, as a
-- share of what is too far, though each alone may not be. series_id: the first of them.
{{ config(materialized="view") }}

with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

final as (
    select
        series.place,
        series.period_s,
        scores.point_at,
        min(scores.series_id) as series_id,
        count(*) as series_count,
        sqrt(avg(
            power(least(greatest(scores.level_ratio, scores.spread_ratio), 2e0), 2)
        )) / max(parameters.together) as ratio
    from {{ ref("int_metric_score") }} as scores
    inner join {{ ref("int_metric_series") }} as series on scores.series_id = series.series_id
    cross join parameters
    where series.place is not null
    group by series.place, series.period_s, scores.point_at
    having count(*) >= 3
)

select * from final
