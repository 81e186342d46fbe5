-- One row per point being judged: by each detector, how many times as far off as it may be (1 is flagged), and the score
-- made of the greatest.
{{ config(materialized="view") }}

with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

points as (
    select
        residuals.*,
        baselines.block_count,
        baselines.centre,
        baselines.scale,
        parameters.learning * sqrt(1e0 / baselines.block_count) as learning,
        {% for measure in ["spike", "jump", "short", "long", "wider", "narrower", "drift", "rhythm", "run", "gap"] -%}
            greatest(
                parameters.{{ measure }}_usual * baselines.{{ measure }}_usual,
                parameters.{{ measure }}_high * baselines.{{ measure }}_high,
                parameters.{{ measure }}_least
            ) as {{ measure }}_limit,
        {% endfor -%}
        residuals.spike / baselines.scale as spike_size,
        residuals.jump / baselines.scale as jump_size,
        (residuals.short_mid - baselines.centre) / baselines.scale as short_size,
        (residuals.long_mid - baselines.centre) / baselines.scale as long_size,
        (residuals.short_mid - residuals.recent_mid) / baselines.scale as short_recent,
        (residuals.long_mid - residuals.recent_mid) / baselines.scale as long_recent,
        ln(greatest(residuals.step_mid, baselines.step_scale / 1e3) / baselines.step_scale) as wider_size,
        (blocks.day_mid - baselines.centre) / baselines.scale as drift_size,
        (blocks.day_mid - blocks.week_mid) / baselines.scale as drift_recent,
        blocks.day_deviation / baselines.scale as rhythm_size,
        blocks.day_count,
        baselines.drift_count
    from {{ ref("int_metric_residual") }} as residuals
    inner join {{ ref("int_metric_baseline") }} as baselines
        on residuals.series_id = baselines.series_id
        and residuals.baseline_number = baselines.baseline_number
        and residuals.batch_number = baselines.batch_number
    inner join {{ ref("int_metric_block_moving") }} as blocks
        on residuals.series_id = blocks.series_id
        and residuals.baseline_number = blocks.baseline_number
        and residuals.block_number = blocks.block_number
    cross join parameters
),

ratios as (
    select
        *,
        case when not is_switched then spike_known end * spike_size / spike_limit as spike_ratio,
        case when not is_switched then jump_size / jump_limit end as jump_ratio,
        case when short_count >= 8 and not is_switched and abs(short_recent) >= .2e0 * abs(short_size) then abs(short_size) / short_limit end as short_ratio,
        case when long_count >= 20 and not is_switched and abs(long_recent) >= .2e0 * abs(long_size) then abs(long_size) / long_limit end as long_ratio,
        greatest(wider_size / wider_limit, -1e0 * wider_size / narrower_limit) as spread_ratio,
        case when drift_count >= 60 and abs(drift_recent) >= .5e0 * abs(drift_size) then abs(drift_size) / drift_limit end as drift_ratio,
        case when drift_count >= 60 and rhythm <> 'none' then rhythm_size / rhythm_limit end as rhythm_ratio,
        run_ticks / run_limit as stuck_ratio,
        gap_ticks / gap_limit as gap_ratio
    from points
),

final as (
    select
        *,
        greatest(
            coalesce(spike_ratio, 0e0), coalesce(jump_ratio, 0e0), coalesce(short_ratio, 0e0), coalesce(long_ratio, 0e0),
            coalesce(spread_ratio, 0e0), coalesce(drift_ratio, 0e0), coalesce(rhythm_ratio, 0e0),
            coalesce(stuck_ratio, 0e0), coalesce(gap_ratio, 0e0)
        ) / (1e0 + learning) as ratio
    from ratios
)

select * from final
