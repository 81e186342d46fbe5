-- A trouble without its points can't be looked into; a point without its trouble is seen by nobody.
with

points as (
    select
        anomaly_id,
        count(*) as point_count,
        count(distinct series_id) as series_count,
        max(score) as score
    from {{ ref("anomaly_point") }}
    group by anomaly_id
)

select
    coalesce(points.anomaly_id, anomalies.anomaly_id) as anomaly_id,
    points.point_count,
    anomalies.point_count as told_count
from points
full outer join {{ ref("anomaly") }} as anomalies on points.anomaly_id = anomalies.anomaly_id
where
    points.anomaly_id is null
    or anomalies.anomaly_id is null
    or points.point_count <> anomalies.point_count
    or points.series_count <> anomalies.series_count
    or points.score <> anomalies.score
