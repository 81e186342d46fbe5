-- One row per series, production day and hour of it: what its values were there, as one median. Rhythms are read from
-- it.
{{ config(
    materialized="incremental",
    partition_by="production_date",
    pre_hook="{{ clear_touched_metrics() }}",
) }}

with

points as (
    select
        points.*,
        floor(points.local_s / 86400e0)::bigint as day_number
    from {{ ref("int_metric_point") }} as points
    inner join {{ ref("int_touched_metric") }} as touched
        on points.series_id = touched.series_id
        and points.production_date >= touched.touched_from
    where not points.is_excluded and points.block_s >= 3600e0
),

final as (
    select
        series_id,
        baseline_number,
        day_number,
        floor((local_s - day_number * 86400e0) / 3600e0)::bigint as slot,
        count(*) as point_count,
        median(value) as value_mid,
        production_date
    from points
    group by all
)

select * from final
