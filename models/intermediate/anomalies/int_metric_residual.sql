-- One row per point being judged: what is left of it without the rhythm (residual), and what that was over the last
-- points. A point knows no later one. tick: time in periods of the series; all frames are spans of ticks, so that a
-- point depends on the same points whatever else is read with it.
{% set frames = {
    "local_mid": ["avg(residual)", "14.5e0 preceding and 2.5e0 preceding"],
    "last_mid": ["avg(residual)", "5.5e0 preceding and current row"],
    "short_mid": ["avg(residual)", "17.5e0 preceding and current row"],
    "long_mid": ["avg(residual)", "59.5e0 preceding and current row"],
    "recent_mid": ["avg(residual)", "479.5e0 preceding and current row"],
    "step_mid": ["avg(absolute_step)", "29.5e0 preceding and current row"],
    "changed_tick": ["max(moved_tick)", "239.5e0 preceding and current row"],
} -%}

with

points as (
    select
        points.series_id,
        points.place,
        points.baseline_number,
        points.point_at,
        points.value,
        points.value_min,
        points.value_max,
        points.production_date,
        points.production_date >= touched.touched_from as is_judged,
        points.local_s / points.period_s as tick,
        points.period_s,
        touched.block_s,
        touched.batch_s,
        points.local_s,
        floor(points.local_s / 86400e0)::bigint as day_number
    from {{ ref("int_metric_point") }} as points
    inner join {{ ref("int_touched_metric") }} as touched
        on points.series_id = touched.series_id
        and points.production_date >= touched.read_from
    where not points.is_excluded
),

slots as (
    select
        *,
        floor((local_s - day_number * 86400e0) / 3600e0)::bigint as slot,
        (local_s - day_number * 86400e0) / 3600e0
        - floor((local_s - day_number * 86400e0) / 3600e0) - .5e0 as off_middle
    from points
),

-- straight lines between the middles of hours
residuals as (
    select
        slots.series_id,
        slots.place,
        slots.period_s,
        slots.baseline_number,
        slots.point_at,
        slots.tick,
        slots.is_judged,
        slots.value,
        slots.production_date,
        floor(slots.local_s / slots.block_s)::bigint as block_number,
        floor(slots.local_s / slots.batch_s)::bigint as batch_number,
        coalesce(expected.rhythm, 'none') as rhythm,
        coalesce(expected.days_since_switch * 86400e0 + slots.local_s - slots.day_number * 86400e0, 1e9)
        < 40 * slots.period_s as is_switched,
        coalesce(
            case
                when slots.period_s > 3600e0 then expected.expected
                when slots.off_middle < 0e0
                    then expected.expected + slots.off_middle * (expected.expected - expected.expected_before)
                else expected.expected + slots.off_middle * (expected.expected_after - expected.expected)
            end,
            0e0
        ) as expected,
        slots.value_max - slots.value as above,
        slots.value - slots.value_min as below
    from slots
    left join {{ ref("int_metric_expected") }} as expected
        on slots.series_id = expected.series_id
        and slots.baseline_number = expected.baseline_number
        and slots.day_number = expected.day_number
        and slots.slot = expected.slot
),

steps as (
    select
        *,
        value - expected as residual,
        tick - lag(tick) over series as gap_ticks,
        tick - lag(tick, 2) over series as gap_ticks_2,
        tick - lag(tick, 7) over series as gap_ticks_7,
        tick - lag(tick, 19) over series as gap_ticks_19,
        lag(point_at) over series as point_1_at,
        lag(value) over series as value_1,
        lag(value - expected) over series as residual_1,
        lag(value - expected, 2) over series as residual_2
    from residuals
    window series as (partition by series_id, baseline_number order by tick)
),

-- minutes in which nothing is looked at are not missing
left_out as (
    select
        steps.series_id,
        steps.point_at,
        sum({{ seconds_between(
            "greatest(exclusions.start_at, steps.point_1_at)", "least(exclusions.end_at, steps.point_at)"
        ) }}) as left_out_s
    from steps
    inner join {{ ref("int_metric_exclusion") }} as exclusions
        on steps.place = exclusions.place
        and steps.point_at > exclusions.start_at
        and steps.point_1_at < exclusions.end_at
    where steps.gap_ticks > 2.5e0 and steps.period_s <= 3600e0
    group by steps.series_id, steps.point_at
),

moved as (
    select
        *,
        case when gap_ticks <= 2.5e0 then abs(residual - residual_1) end as absolute_step,
        case when coalesce(gap_ticks > 2.5e0 or value <> value_1, true) then tick end as moved_tick
    from steps
),

moving as (
    select
        *,
        {% for name, (value, frame) in frames.items() -%}
            {{ value }} over (
                partition by series_id, baseline_number order by tick range between {{ frame }}
            ) as {{ name }},
        {% endfor -%}
        count(absolute_step) over (
            partition by series_id, baseline_number order by tick range between 29.5e0 preceding and current row
        ) as step_count
    from moved
),

final as (
    select
        moving.series_id,
        baseline_number,
        batch_number,
        block_number,
        moving.point_at,
        value,
        expected,
        rhythm,
        residual,
        local_mid,
        last_mid,
        recent_mid,
        case when gap_ticks_7 <= 17.5e0 and not is_switched then short_mid end as short_mid,
        case when gap_ticks_19 <= 59.5e0 and not is_switched then long_mid end as long_mid,
        -- of fewer steps it is chance
        case when step_count >= 15 then step_mid end as step_mid,
        -- the middle one of three: two of them are as far off
        case
            when gap_ticks_2 <= 5e0 and not is_switched
                then
                    abs(
                        greatest(
                            least(residual, residual_1), least(residual_1, residual_2), least(residual, residual_2)
                        ) - local_mid
                    )
        end as spike,
        case when not is_switched then greatest(residual + above - local_mid, local_mid - residual + below) end as jump,
        coalesce(tick - changed_tick, 240e0) as run_ticks,
        -- none before it within what is read: a long gap, or the first point of all, which nothing judges
        least(coalesce(gap_ticks - coalesce(left_out.left_out_s, 0e0) / period_s, 300e0), 300e0) as gap_ticks,
        production_date
    from moving
    left join left_out
        on moving.series_id = left_out.series_id
        and moving.point_at = left_out.point_at
    where is_judged
)

select * from final
