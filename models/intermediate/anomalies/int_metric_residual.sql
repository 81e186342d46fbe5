-- One row per point being judged: what is left of it without the rhythm (residual), and what that was over the last points.
-- A point knows no later one. tick: time in periods of the series; all frames are spans of ticks, so that a point depends
-- on the same points whatever else is read with it.
with

points as (
    select
        points.*,
        points.production_date >= touched.touched_from as is_judged,
        points.local_s / points.period_s as tick,
        floor((points.local_s - points.day_number * 86400e0) / 3600e0)::bigint as slot,
        (points.local_s - points.day_number * 86400e0) / 3600e0 as day_hours
    from {{ ref("int_metric_point") }} as points
    inner join {{ ref("int_touched_metric") }} as touched
        on points.series_id = touched.series_id
        and points.production_date >= touched.read_from
    where points.kind = 'value' and not points.is_excluded
),

-- straight lines between the middles of hours
expected as (
    select
        points.*,
        coalesce(expected.rhythm, 'none') as rhythm,
        coalesce(
            case
                when points.period_s > 3600e0 then expected.expected
                when points.day_hours - points.slot < .5e0
                    then
                        expected.expected
                        + (points.day_hours - points.slot - .5e0) * (expected.expected - expected.expected_before)
                else
                    expected.expected
                    + (points.day_hours - points.slot - .5e0) * (expected.expected_after - expected.expected)
            end,
            0e0
        ) as expected
    from points
    left join {{ ref("int_metric_expected") }} as expected
        on points.series_id = expected.series_id
        and points.baseline_number = expected.baseline_number
        and points.day_number = expected.day_number
        and points.slot = expected.slot
),

residuals as (
    select
        *,
        value - expected as residual,
        value_min - expected as residual_min,
        value_max - expected as residual_max,
        tick - lag(tick) over series as gap_ticks,
        case when rhythm <> lag(rhythm) over series then tick end as switched_tick,
        value - lag(value) over series as value_step,
        value - expected - lag(value - expected) over series as step,
        case when tick - lag(tick, 2) over series <= 5e0 then lag(value - expected, 2) over series end as residual_2
    from expected
    window series as (partition by series_id, baseline_number order by tick)
),

moving as (
    select
        *,
        case when gap_ticks <= 2.5e0 then residual - step end as residual_1,
        case when gap_ticks <= 2.5e0 then abs(step) end as absolute_step,
        case when coalesce(gap_ticks > 2.5e0 or value_step <> 0e0, true) then tick end as changed_tick,
        avg(residual) over (
            partition by series_id, baseline_number order by tick range between 14.5e0 preceding and 2.5e0 preceding
        ) as local_mid,
        avg(residual) over (
            partition by series_id, baseline_number order by tick range between 12.5e0 preceding and .5e0 preceding
        ) as near_mid,
        avg(residual) over (
            partition by series_id, baseline_number order by tick range between 17.5e0 preceding and current row
        ) as short_mid,
        count(residual) over (
            partition by series_id, baseline_number order by tick range between 17.5e0 preceding and current row
        ) as short_count,
        avg(residual) over (
            partition by series_id, baseline_number order by tick range between 59.5e0 preceding and current row
        ) as long_mid,
        count(residual) over (
            partition by series_id, baseline_number order by tick range between 59.5e0 preceding and current row
        ) as long_count,
        avg(residual) over (
            partition by series_id, baseline_number order by tick range between 479.5e0 preceding and current row
        ) as recent_mid
    from residuals
),

spreads as (
    select
        *,
        avg(absolute_step) over (
            partition by series_id, baseline_number order by tick range between 29.5e0 preceding and current row
        ) as step_mid,
        tick - max(changed_tick) over (
            partition by series_id, baseline_number order by tick range between 259.5e0 preceding and current row
        ) as run_ticks,
        max(switched_tick) over (
            partition by series_id, baseline_number order by tick range between 39.5e0 preceding and current row
        ) is not null as is_switched
    from moving
),

final as (
    select
        series_id,
        baseline_number,
        batch_number,
        block_number,
        point_at,
        point_at_local,
        local_s,
        value,
        expected,
        rhythm,
        residual,
        short_mid,
        long_mid,
        recent_mid,
        short_count,
        long_count,
        least(gap_ticks, 300e0) as gap_ticks,
        -- the middle one of three: two of them are as far off
        abs(
            greatest(least(residual, residual_1), least(residual_1, residual_2), least(residual, residual_2)) - local_mid
        ) as spike,
        case when residual_1 is not null and residual_2 is not null then 1 end as spike_known,
        greatest(residual_max - near_mid, near_mid - residual_min) as jump,
        step_mid,
        coalesce(run_ticks, 240e0) as run_ticks,
is_switched,
        production_date
    from spreads
    where is_judged
)

select * from final
