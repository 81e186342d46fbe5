{% set drift_weeks = 8 %}

with

weeks as (
    select * from {{ ref("int_measured_week") }} where product_name is not null and machine_id is not null
),

-- without the machine itself, or one that measures most would hide
compared as (
    select
        *,
        {{ seconds_between("timestamp '2000-01-03 00:00:00'", "production_week_start::timestamp") }}
        / 604800e0 as week_number,
        (sum(value_count) over peers)::bigint - value_count as peer_count,
        {{ ratio(
            "(sum(value_count * value_mean) over peers) - coalesce(value_count * value_mean, 0e0)",
            "(sum(value_count) over peers) - value_count"
        ) }} as peer_mean
    from weeks
    window peers as (partition by production_week_start, product_name, test_name, parameter)
),

tracked as (
    select
        *,
        upper_limit - lower_limit as tolerance,
        value_mean - peer_mean as peer_offset,
        case when max(peer_count) over series > 0 then 'peers' else 'own mean' end as compared_with,
        case when max(peer_count) over series > 0 then value_mean - peer_mean else value_mean end as tracked_value
    from compared
    window series as (partition by product_name, test_name, parameter, machine_id)
),

fitted as (
    select
        *,
        (regr_count(tracked_value, week_number) over recent)::bigint as week_count,
        regr_slope(tracked_value, week_number) over recent as slope,
        regr_sxx(tracked_value, week_number) over recent as sxx,
        regr_syy(tracked_value, week_number) over recent as syy
    from tracked
    window recent as (
        partition by product_name, test_name, parameter, machine_id
        order by production_week_start
        rows between {{ drift_weeks - 1 }} preceding and current row
    )
),

bounded as (
    select
        fitted.*,
        ({{ student_quantile("(fitted.week_count - 2)") }})
        * sqrt(
            greatest(0e0, fitted.syy - fitted.slope * fitted.slope * fitted.sxx) / (fitted.week_count - 2) / fitted.sxx
        )
            as slope_margin
    from fitted
    left join {{ ref("const_quantile") }} as quantiles
        on quantiles.degrees = {{ quantile_row("fitted.week_count - 2") }}
        and fitted.week_count > 2
),

final as (
    select
        -- keys
        production_week_start,
        product_name,
        test_name,
        parameter,
        machine_id,

        -- values
        unit,
        lower_limit,
        upper_limit,
        value_count,
        value_mean,
        sqrt(value_variance) as value_sd,
        golden_count,
        golden_mean,

        -- peers
        peer_count,
        peer_mean,
        peer_offset,
        {{ ratio("peer_offset", "tolerance") }} as peer_offset_of_tolerance,

        -- drift
        compared_with,
        week_count::bigint as drift_week_count,
        case when week_count > 2 then slope end as drift_per_week,
        slope - slope_margin as drift_per_week_low,
        slope + slope_margin as drift_per_week_high,
        {{ ratio("case when week_count > 2 then slope end", "tolerance") }} as drift_per_week_of_tolerance,
        abs(slope) > slope_margin as is_drifting
    from bounded
)

select * from final
