-- One row per point that a flag is shown among: of series that are judged by days every point, of faster ones those of
-- production days on which the series was flagged. What it was, what was expected, and how far off each detector lets
-- it be.
{{ config(
    materialized="incremental",
    partition_by="production_date",
    pre_hook="{{ clear_touched_metrics() }}",
) }}

with

flagged_days as (
    select distinct
        series_id,
        production_date
    from {{ ref("int_anomaly_flag") }}
),

final as (
    select
        residuals.series_id,
        residuals.point_at,
        residuals.value,
        scores.expected,
        scores.any_band,
        scores.spike_band,
        scores.shift_band,
        scores.drift_band,
        residuals.production_date
    from {{ ref("int_metric_residual") }} as residuals
    inner join {{ ref("int_metric_series") }} as series on residuals.series_id = series.series_id
    left join flagged_days
        on residuals.series_id = flagged_days.series_id
        and residuals.production_date = flagged_days.production_date
    -- none before there is a baseline
    left join {{ ref("int_metric_score") }} as scores
        on residuals.series_id = scores.series_id
        and residuals.point_at = scores.point_at
    where flagged_days.series_id is not null or series.period_s > 3600e0
)

select * from final
