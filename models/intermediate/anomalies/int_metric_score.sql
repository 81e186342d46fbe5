-- One row per point being judged: by each detector, how far off it is as a share of what is too far (1 is flagged).
-- level: the mean of the last 60 points, in widths from the centre; level_ratio: shift_ratio, however long the level
-- has been off. What several series of a machine are judged together by.
with

points as (
    select
        residuals.*,
        baselines.centre,
        baselines.scale,
        baselines.drift_count,
        {% for measure in ["spike", "jump", "short", "long", "wider", "narrower", "drift", "rhythm", "run", "gap"] -%}
            baselines.{{ measure }}_limit,
        {% endfor -%}
        touched.hold_share,
        touched.drift_blocks,
        -- thirty days are no spread of today
        touched.period_s < 86400e0 as has_spread,
        -- half of the steps that spread looks at are none
        residuals.run_ticks >= 15e0 as stands_still,
        (residuals.long_mid - baselines.centre) / baselines.scale as level,
        abs(residuals.short_mid - baselines.centre) / baselines.scale as short_size,
        abs(residuals.long_mid - baselines.centre) / baselines.scale as long_size,
        -- what is back is over, whatever the mean still remembers; nor is the way back a jump
        abs(residuals.residual - baselines.centre) < .5e0 * abs(residuals.residual - residuals.local_mid) as is_back,
        (residuals.last_mid - baselines.centre) * sign(residuals.short_mid - baselines.centre)
        >= .5e0 * abs(residuals.short_mid - baselines.centre) as is_short_still,
        (residuals.last_mid - baselines.centre) * sign(residuals.long_mid - baselines.centre)
        >= .5e0 * abs(residuals.long_mid - baselines.centre) as is_long_still,
        abs(residuals.short_mid - residuals.recent_mid) / baselines.scale as short_recent,
        abs(residuals.long_mid - residuals.recent_mid) / baselines.scale as long_recent,
        -- greatest() would take a NULL for the least there is
        case
            when residuals.step_mid is not null
                then ln(greatest(residuals.step_mid, baselines.step_scale / 1e3) / baselines.step_scale)
        end as spread_size,
        blocks.day_count,
        blocks.day_mid,
        abs(blocks.day_mid - baselines.centre) / baselines.scale as drift_size,
        -- what drifts is further off than its mean of a day
        least(
            (residuals.short_mid - baselines.centre) * sign(blocks.day_mid - baselines.centre) / .5e0,
            (residuals.long_mid - baselines.centre) * sign(blocks.day_mid - baselines.centre) / .8e0
        ) >= abs(blocks.day_mid - baselines.centre) as is_drift_still,
        abs(blocks.day_mid - coalesce(blocks.day_before_mid, baselines.centre)) / baselines.scale as drift_recent,
        blocks.day_deviation / baselines.scale as rhythm_size
    from {{ ref("int_metric_residual") }} as residuals
    inner join {{ ref("int_touched_metric") }} as touched on residuals.series_id = touched.series_id
    inner join {{ ref("int_metric_baseline") }} as baselines
        on residuals.series_id = baselines.series_id
        and residuals.baseline_number = baselines.baseline_number
        and residuals.batch_number = baselines.batch_number
    inner join {{ ref("int_metric_block_moving") }} as blocks
        on residuals.series_id = blocks.series_id
        and residuals.baseline_number = blocks.baseline_number
        and residuals.block_number = blocks.block_number
),

final as (
    select
        series_id,
        baseline_number,
        batch_number,
        point_at,
        production_date,
        value,
        expected + centre as expected,
        scale,
        gap_ticks,
        run_ticks,
        level,
        case
            when coalesce(is_back, false) then 0e0
            else greatest(coalesce(spike / spike_limit, 0e0), coalesce(jump / jump_limit, 0e0)) / scale
        end as spike_ratio,
        greatest(
            coalesce(
                case when is_short_still and short_recent >= hold_share * short_size then short_size / short_limit end,
                0e0
            ),
            coalesce(
                case when is_long_still and long_recent >= hold_share * long_size then long_size / long_limit end, 0e0
            )
        ) as shift_ratio,
        greatest(coalesce(short_size / short_limit, 0e0), coalesce(long_size / long_limit, 0e0)) as level_ratio,
        case
            when not has_spread or (stands_still and spread_size < 0e0) then 0e0
            else coalesce(greatest(spread_size / wider_limit, -1e0 * spread_size / narrower_limit), 0e0)
        end as spread_ratio,
        exp(spread_size) as spread_factor,
        coalesce(
            case
                when
                    day_count >= drift_blocks / 2e0
                    and drift_count >= 2 * drift_blocks
                    and drift_recent >= .4e0 * drift_size
                    and is_drift_still
                    then drift_size / drift_limit
            end,
            0e0
        ) as drift_ratio,
        coalesce(
            case
                when
                    rhythm <> 'none'
                    and day_count >= drift_blocks / 2e0
                    and drift_count >= 2 * drift_blocks
                    and short_size >= .5e0 * rhythm_size
                    then rhythm_size / rhythm_limit
            end,
            0e0
        ) as rhythm_ratio,
        greatest(
            coalesce(run_ticks / run_limit, 0e0),
            case
                when has_spread and stands_still then coalesce(-1e0 * spread_size / narrower_limit, 0e0)
                else 0e0
            end
        ) as stuck_ratio,
        coalesce(gap_ticks / gap_limit, 0e0) as missing_ratio,
        least(spike_limit, jump_limit) * scale as spike_band,
        least(short_limit, long_limit) * scale as shift_band,
        drift_limit * scale as drift_band,
        spike_limit * scale as any_band
    from points
)

select * from final
