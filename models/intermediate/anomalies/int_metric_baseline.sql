-- One row per series and batch being judged: what is usual by the batches before it. Centre and widths are medians over
-- blocks; how far a point may be off is scaled by high quantiles of how far the points of those blocks were off
-- themselves, so that a series which often jumps has to jump further. Blocks of the last hours that were far off are left
-- out of the highest quantile: a trouble that goes on is no measure of itself. What came again and again before is.
{% set measures = ["spike", "jump", "short", "long", "wider", "narrower", "drift", "rhythm", "run", "gap"] %}

with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

blocks as (
    select * from {{ ref("int_metric_block_moving") }}
),

batches as (
    select
        blocks.series_id,
        blocks.baseline_number,
        blocks.batch_number,
        min(blocks.block_number) as first_block,
        max(blocks.rhythm) as rhythm,
        max(touched.lookback_batches) as lookback_batches,
        max(touched.least_blocks) as least_blocks,
        max(touched.recent_blocks) as recent_blocks,
        max(touched.drift_blocks) as drift_blocks
    from blocks
    inner join {{ ref("int_touched_metric") }} as touched
        on blocks.series_id = touched.series_id
        and blocks.production_date >= touched.touched_from
    group by blocks.series_id, blocks.baseline_number, blocks.batch_number
),

-- what was left without another rhythm is another measure: it counts only until there is enough of this one
before_all as (
    select
        blocks.*,
        blocks.rhythm = batches.rhythm as is_same_rhythm,
        count(*) filter (where blocks.rhythm = batches.rhythm) over (
            partition by batches.series_id, batches.baseline_number, batches.batch_number
        ) as same_rhythm_count,
        batches.batch_number as batch_judged,
        batches.least_blocks,
        batches.drift_blocks,
        blocks.block_number >= batches.first_block - batches.recent_blocks as is_recent
    from batches
    inner join blocks
        on batches.series_id = blocks.series_id
        and batches.baseline_number = blocks.baseline_number
        and blocks.batch_number between batches.batch_number - batches.lookback_batches and batches.batch_number - 1
),

before as (
    select * from before_all where is_same_rhythm or same_rhythm_count < least_blocks
),

centres as (
    select
        series_id,
        baseline_number,
        batch_judged,
        count(*) as block_count,
        median(mid) as centre,
        median(greatest(quartile_range / 1.349e0, deviation / 3e0)) as width,
        median(step_mid) as step_mid,
        median(day_deviation) as day_deviation
    from before
    group by series_id, baseline_number, batch_judged
    having count(*) >= max(least_blocks)
),

widths as (
    select
        *,
        -- what never moved: a hundredth of its level, so that any change of it is one
        greatest(width, 1e-3 * abs(centre), 1e-9) as scale,
        greatest(step_mid, 1e-4 * abs(centre), 1e-9) as step_scale
    from centres
),

distances as (
    select
        before.series_id,
        before.baseline_number,
        before.batch_judged,
        before.is_recent,
        widths.block_count,
        widths.centre,
        widths.scale,
        widths.step_scale,
        widths.day_deviation,
        before.spike / widths.scale as spike,
        before.jump / widths.scale as jump,
        greatest(before.short_most - widths.centre, widths.centre - before.short_least) / widths.scale as short,
        greatest(before.long_most - widths.centre, widths.centre - before.long_least) / widths.scale as long,
        ln(greatest(before.step_most, widths.step_scale / 1e3) / widths.step_scale) as wider,
        -1e0 * ln(greatest(before.step_least, widths.step_scale / 1e3) / widths.step_scale) as narrower,
        case when before.day_count >= before.drift_blocks / 2e0 then abs(before.day_mid - widths.centre) / widths.scale end
            as drift,
        case when before.day_count >= before.drift_blocks / 2e0 then before.day_deviation / widths.scale end as rhythm,
        before.run_ticks as run,
        before.gap_ticks as gap
    from before
    inner join widths
        on before.series_id = widths.series_id
        and before.baseline_number = widths.baseline_number
        and before.batch_judged = widths.batch_judged
),

usual as (
    select
        series_id,
        baseline_number,
        batch_judged,
        {% for measure in measures -%}
            {{ quartile(measure, 0.8) }} as {{ measure }}_usual,
        {% endfor -%}
        count(drift) as drift_count
    from distances
    group by series_id, baseline_number, batch_judged
),

final as (
    select
        distances.series_id,
        distances.baseline_number,
        distances.batch_judged as batch_number,
        max(distances.block_count) as block_count,
        max(usual.drift_count) as drift_count,
        max(distances.centre) as centre,
        max(distances.scale) as scale,
        max(distances.step_scale) as step_scale,
        {% for measure in measures -%}
            max(usual.{{ measure }}_usual) as {{ measure }}_usual,
            {{ quartile(
                "case when not (distances.is_recent and distances." ~ measure ~ " > 1.5e0 * usual." ~ measure
                ~ "_usual) then distances." ~ measure ~ " end", 0.98
            ) }} as {{ measure }}_high{{ "," if not loop.last }}
        {% endfor %}
    from distances
    inner join usual
        on distances.series_id = usual.series_id
        and distances.baseline_number = usual.baseline_number
        and distances.batch_judged = usual.batch_judged
    group by distances.series_id, distances.baseline_number, distances.batch_judged
)

select * from final
