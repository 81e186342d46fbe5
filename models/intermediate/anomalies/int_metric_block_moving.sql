-- One row per series and block that a baseline being made looks at: what the blocks before it were over a day and over
-- the day before that (of series that are slower or faster: over as many blocks).
with

blocks as (
    select
        blocks.*,
        blocks.block_number / series.drift_blocks::double as drift_tick
    from {{ ref("int_metric_block") }} as blocks
    inner join {{ ref("int_touched_metric") }} as series
        on blocks.series_id = series.series_id
        and blocks.block_number >= series.read_from_block
),

final as (
    select
        *,
        avg(mid) over a_day as day_mid,
        count(mid) over a_day as day_count,
        stddev_samp(mid) over a_day as day_deviation,
        avg(mid) over a_day_before as day_before_mid
    from blocks
    window
        a_day as (
            partition by series_id, baseline_number order by drift_tick range between 1e0 preceding and 1e-6 preceding
        ),
        a_day_before as (
            partition by series_id, baseline_number order by drift_tick
            range between 2e0 preceding and 1.000001e0 preceding
        )
)

select * from final
