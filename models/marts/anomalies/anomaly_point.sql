with

points as (
    select * from {{ ref("int_anomaly_point_merged") }}
),

series as (
    select * from {{ ref("int_metric_series") }}
),

final as (
    select
        -- keys
        points.series_id,
        points.detector,
        points.point_at,
        points.anomaly_id,

        -- what it is about
        series.entity_type,
        series.entity,
        series.machine_id,
        series.line_id,
        series.metric,
        series.product_name,
        series.test_name,
        series.unit,

        -- how far off
        points.observed,
        points.expected,
        points.lower_limit,
        points.upper_limit,
        points.score,
        points.production_date
    from points
    inner join series on points.series_id = series.series_id
)

select * from final
