-- One row per machine and moment at which three of its series or more have a point, daily ones aside: how far off they
-- are together, as a share of what is too far, though each alone may not be. What they share (a machine's load) moves
-- all of them, and is nothing by itself: too far is scaled by how far the blocks before were off together. apart: how
-- far one series is from where the others' mean would have it, by the line through the blocks before. series_id: the
-- one furthest apart.
{{ config(materialized="view") }}

with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

series as (
    select * from {{ ref("int_metric_series") }} where place is not null and period_s < 86400e0
),

baselines as (
    select
        baselines.*,
        series.place,
        series.period_s,
        series.lookback_batches,
        series.least_together_blocks
    from {{ ref("int_metric_baseline") }} as baselines
    inner join series on baselines.series_id = series.series_id
),

blocks as (
    select
        baselines.series_id,
        baselines.baseline_number,
        baselines.batch_number,
        baselines.place,
        baselines.period_s,
        baselines.least_together_blocks,
        blocks.block_number,
        (blocks.mid - baselines.centre) / baselines.scale as level,
        least(
            greatest(
                coalesce(
                    greatest(blocks.short_most - baselines.centre, baselines.centre - blocks.short_least)
                    / baselines.scale / baselines.short_limit,
                    0e0
                ),
                coalesce(
                    greatest(blocks.long_most - baselines.centre, baselines.centre - blocks.long_least)
                    / baselines.scale / baselines.long_limit,
                    0e0
                )
            ),
            2e0
        ) as level_ratio
    from baselines
    inner join {{ ref("int_metric_block_moving") }} as blocks
        on baselines.series_id = blocks.series_id
        and baselines.baseline_number = blocks.baseline_number
        and baselines.batch_number - baselines.lookback_batches <= blocks.batch_number
        and baselines.batch_number > blocks.batch_number
),

blocks_together as (
    select
        *,
        count(*) over a_block as series_count,
        {{ ratio("(sum(level) over a_block) - level", "(count(*) over a_block) - 1") }} as others_level,
        sqrt(avg(level_ratio * level_ratio) over a_block) as joint_ratio
    from blocks
    window a_block as (partition by place, period_s, batch_number, block_number)
),

lines as (
    select
        series_id,
        baseline_number,
        batch_number,
        {{ ratio("sum(level * others_level)", "sum(others_level * others_level)") }} as slope
    from blocks_together
    where series_count >= 3
    group by series_id, baseline_number, batch_number
    having count(*) >= max(least_together_blocks)
),

usual as (
    select
        blocks.series_id,
        blocks.baseline_number,
        blocks.batch_number,
        max(lines.slope) as slope,
        greatest(
            max(parameters.apart_usual)
            * {{ quantile("abs(blocks.level - lines.slope * blocks.others_level)", 0.8) }},
            max(parameters.apart_high)
            * {{ quantile("abs(blocks.level - lines.slope * blocks.others_level)", 0.98) }},
            max(parameters.apart_least)
        ) * (1e0 + 2e0 * max(parameters.learning) / sqrt(count(*))) as apart_limit,
        greatest(
            max(parameters.together_high) * {{ quantile("blocks.joint_ratio", 0.98) }}, max(parameters.together)
        ) * (1e0 + max(parameters.learning) / sqrt(count(*))) as joint_limit
    from blocks_together as blocks
    inner join lines
        on blocks.series_id = lines.series_id
        and blocks.baseline_number = lines.baseline_number
        and blocks.batch_number = lines.batch_number
    cross join parameters
    where blocks.series_count >= 3
    group by blocks.series_id, blocks.baseline_number, blocks.batch_number
),

points as (
    select
        scores.series_id,
        scores.point_at,
        series.place,
        series.period_s,
        series.sensitivity_factor,
        scores.level,
        least(greatest(scores.level_ratio, scores.spread_ratio), 2e0) as level_ratio,
        usual.slope,
        usual.apart_limit,
        usual.joint_limit
    from {{ ref("int_metric_score") }} as scores
    inner join series on scores.series_id = series.series_id
    inner join usual
        on scores.series_id = usual.series_id
        and scores.baseline_number = usual.baseline_number
        and scores.batch_number = usual.batch_number
),

points_together as (
    select
        *,
        {{ ratio("(sum(level) over a_moment) - level", "(count(level) over a_moment) - 1") }} as others_level,
        count(*) over a_moment as series_count,
        count(level) over a_moment as level_count
    from points
    window a_moment as (partition by place, period_s, point_at)
),

apart as (
    select
        *,
        coalesce(
            case
                when level_count >= 3
                    then abs(level - slope * others_level) / (apart_limit * sensitivity_factor)
            end,
            0e0
        ) as apart_ratio
    from points_together
    where series_count >= 3
),

ranked as (
    select
        *,
        sqrt(avg(level_ratio * level_ratio) over a_moment) / max(joint_limit) over a_moment as joint_ratio,
        row_number() over (
            partition by place, period_s, point_at order by apart_ratio desc, series_id asc
        ) as apart_rank
    from apart
    window a_moment as (partition by place, period_s, point_at)
),

final as (
    select
        place,
        period_s,
        point_at,
        series_id,
        series_count,
        greatest(joint_ratio, apart_ratio) as ratio
    from ranked
    where apart_rank = 1
)

select * from final
