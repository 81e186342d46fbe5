-- One row per series and batch being judged: what is usual by the batches before it, and how far off is too far. Centre
-- and widths are medians over blocks; how far a point may be off is scaled by high quantiles of how far the points of
-- those blocks were off themselves, so that a series which often jumps has to jump further. Of the last blocks those
-- that were far off are left out: a trouble that goes on is no measure of itself; what came again and again is.
{% set measures = ["spike", "jump", "short", "long", "wider", "narrower", "drift", "rhythm", "run", "gap"] -%}

with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

touched as (
    select * from {{ ref("int_touched_metric") }}
),

blocks as (
    select * from {{ ref("int_metric_block_moving") }}
),

batches as (
    select
        blocks.series_id,
        blocks.baseline_number,
        blocks.batch_number,
        touched.lookback_batches,
        touched.least_blocks,
        touched.drift_blocks,
        touched.sensitivity_factor,
        min(blocks.block_number) as first_block,
        max(touched.recent_blocks) as recent_blocks,
        max(blocks.rhythm) as rhythm
    from blocks
    inner join touched
        on blocks.series_id = touched.series_id
        and blocks.production_date >= touched.touched_from
    group by all
),

-- what was left without another rhythm is another measure: it counts only until there is enough of this one
before_any as (
    select
        batches.series_id,
        batches.baseline_number,
        batches.batch_number,
        batches.least_blocks,
        batches.sensitivity_factor,
        batches.first_block - blocks.block_number as block_age,
        batches.recent_blocks,
        case when blocks.day_count >= batches.drift_blocks / 2e0 then blocks.day_mid end as day_mid,
        case when blocks.day_count >= batches.drift_blocks / 2e0 then blocks.day_deviation end as day_deviation,
        blocks.mid,
        greatest(blocks.quartile_range / 1.349e0, blocks.deviation / 3e0) as width,
        blocks.step_mid,
        blocks.step_least,
        blocks.step_most,
        blocks.short_least,
        blocks.short_most,
        blocks.long_least,
        blocks.long_most,
        blocks.spike,
        blocks.jump,
        blocks.run_ticks,
        blocks.gap_ticks,
        blocks.rhythm = batches.rhythm as is_same_rhythm,
        count(*) filter (where blocks.rhythm = batches.rhythm) over (
            partition by batches.series_id, batches.baseline_number, batches.batch_number
        ) as same_rhythm_count
    from batches
    inner join blocks
        on batches.series_id = blocks.series_id
        and batches.baseline_number = blocks.baseline_number
        and blocks.batch_number between batches.batch_number - batches.lookback_batches and batches.batch_number - 1
),

before as (
    select * from before_any where is_same_rhythm or same_rhythm_count < least_blocks
),

centres as (
    select
        series_id,
        baseline_number,
        batch_number,
        count(*) as block_count,
        median(mid) as centre,
        -- what never moved: a thousandth of its level, so that any change of it is one
        greatest(median(width), 1e-3 * abs(median(mid)), 1e-9) as scale,
        greatest(median(step_mid), 1e-4 * abs(median(mid)), 1e-9) as step_scale,
        max(sensitivity_factor) as sensitivity_factor
    from before
    group by series_id, baseline_number, batch_number
    having count(*) >= max(least_blocks)
),

distances as (
    select
        before.series_id,
        before.baseline_number,
        before.batch_number,
        -- of a series that has just begun there is more to learn from than to leave out
        before.block_age <= least(before.recent_blocks, centres.block_count / 2e0) as is_recent,
        centres.block_count,
        centres.centre,
        centres.scale,
        centres.step_scale,
        centres.sensitivity_factor,
        before.spike / centres.scale as spike,
        before.jump / centres.scale as jump,
        greatest(before.short_most - centres.centre, centres.centre - before.short_least) / centres.scale as short,
        greatest(before.long_most - centres.centre, centres.centre - before.long_least) / centres.scale as long,
        case
            when before.step_most is not null
                then ln(greatest(before.step_most, centres.step_scale / 1e3) / centres.step_scale)
        end as wider,
        case
            when before.step_least is not null
                then -1e0 * ln(greatest(before.step_least, centres.step_scale / 1e3) / centres.step_scale)
        end as narrower,
        abs(before.day_mid - centres.centre) / centres.scale as drift,
        before.day_deviation / centres.scale as rhythm,
        before.run_ticks as run,
        before.gap_ticks as gap
    from before
    inner join centres
        on before.series_id = centres.series_id
        and before.baseline_number = centres.baseline_number
        and before.batch_number = centres.batch_number
),

usual as (
    select
        series_id,
        baseline_number,
        batch_number,
        {% for measure in measures -%}
            {{ quantile(measure, 0.8) }} as {{ measure }}_usual,
        {% endfor -%}
        count(drift) as drift_count
    from distances
    group by series_id, baseline_number, batch_number
),

high as (
    select
        distances.series_id,
        distances.baseline_number,
        distances.batch_number,
        max(distances.block_count) as block_count,
        max(distances.centre) as centre,
        max(distances.scale) as scale,
        max(distances.step_scale) as step_scale,
        max(distances.sensitivity_factor) as sensitivity_factor,
        {% for measure in measures -%}
            max(usual.{{ measure }}_usual) as {{ measure }}_usual,
            {{ quantile(
                "case when not (distances.is_recent and distances." ~ measure ~ " > 1.5e0 * usual." ~ measure
                ~ "_usual) then distances." ~ measure ~ " end", 0.98
            ) }} as {{ measure }}_high,
        {% endfor -%}
        max(usual.drift_count) as drift_count
    from distances
    inner join usual
        on distances.series_id = usual.series_id
        and distances.baseline_number = usual.baseline_number
        and distances.batch_number = usual.batch_number
    group by distances.series_id, distances.baseline_number, distances.batch_number
),

final as (
    select
        high.series_id,
        high.baseline_number,
        high.batch_number,
        high.block_count,
        high.drift_count,
        high.centre,
        high.scale,
        {% for measure in measures -%}
            -- wider while there is little to go by
            high.sensitivity_factor * (1e0 + least(parameters.learning / sqrt(high.block_count), 5e-1)) * greatest(
                parameters.{{ measure }}_usual * coalesce(high.{{ measure }}_usual, 0e0),
                parameters.{{ measure }}_high * coalesce(high.{{ measure }}_high, 0e0),
                parameters.{{ measure }}_least
            ) as {{ measure }}_limit,
        {% endfor -%}
        high.step_scale
    from high
    cross join parameters
)

select * from final
