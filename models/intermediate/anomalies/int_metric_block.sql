-- One row per series and block of time: middle, width and extremes of what was left of its points. What baselines are
-- made of; points older than a day are not read again.
{{ config(
    materialized="incremental",
    partition_by="production_date",
    pre_hook="{{ clear_touched_metrics() }}",
) }}

with

final as (
    select
        series_id,
        baseline_number,
        batch_number,
        block_number,
        max(rhythm) as rhythm,
        count(*) as point_count,
        median(residual) as mid,
        {{ quantile("residual", 0.75) }} - {{ quantile("residual", 0.25) }} as quartile_range,
        coalesce(stddev_samp(residual), 0e0) as deviation,
        median(step_mid) as step_mid,
        max(spike) as spike,
        max(jump) as jump,
        min(short_mid) as short_least,
        max(short_mid) as short_most,
        min(long_mid) as long_least,
        max(long_mid) as long_most,
        min(step_mid) as step_least,
        max(step_mid) as step_most,
        max(run_ticks) as run_ticks,
        max(gap_ticks) as gap_ticks,
        max(point_at) as last_point_at,
        min(production_date) as production_date
    from {{ ref("int_metric_residual") }}
    group by series_id, baseline_number, batch_number, block_number
)

select * from final
