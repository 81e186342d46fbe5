-- One row per flagged point of a series of values: the detector by which it is furthest off.
{{ config(
    materialized="incremental",
    partition_by="production_date",
    pre_hook="{{ clear_touched_metrics() }}",
) }}
{% set detectors = ["spike", "shift", "spread", "drift", "rhythm", "stuck", "missing"] -%}

with

scores as (
    select * from {{ ref("int_metric_score") }}
),

series as (
    select * from {{ ref("int_metric_series") }}
),

flagged as (
    select
        *,
        greatest({{ detectors | join("_ratio, ") }}_ratio) as ratio
    from scores
    where greatest({{ detectors | join("_ratio, ") }}_ratio) >= 1e0
),

ranked as (
    select
        series_id,
        point_at,
        case ratio
            {% for detector in detectors -%}
                when {{ detector }}_ratio then '{{ detector }}'
            {% endfor -%}
        end as detector,
        ratio,
        value,
        expected,
        case ratio
            when spike_ratio then spike_band
            when shift_ratio then shift_band
            when drift_ratio then drift_band
        end as band,
        case ratio when missing_ratio then gap_ticks when stuck_ratio then run_ticks end as lasted_ticks,
        case ratio when spread_ratio then spread_factor end as spread_factor,
        production_date
    from flagged
),

-- what no baseline is needed for
out_of_limits as (
    select
        points.series_id,
        points.point_at,
        'limit' as detector,
        least(
            1e0 + coalesce({{ ratio(
                "greatest(points.value_max - series.upper_limit, series.lower_limit - points.value_min)",
                "series.upper_limit - series.lower_limit"
            ) }}, 1e0),
            5e0
        ) as ratio,
        case when points.value_max > series.upper_limit then points.value_max else points.value_min end as value,
        null::double as expected,
        null::double as band,
        null::double as lasted_ticks,
        null::double as spread_factor,
        points.production_date
    from {{ ref("int_metric_point") }} as points
    inner join series on points.series_id = series.series_id
    inner join {{ ref("int_touched_metric") }} as touched
        on points.series_id = touched.series_id
        and points.production_date >= touched.touched_from
    where
        not points.is_excluded
        and (points.value_max > series.upper_limit or points.value_min < series.lower_limit)
),

together as (
    select
        together.series_id,
        together.point_at,
        'together' as detector,
        together.ratio,
        scores.value,
        scores.expected,
        null::double as band,
        null::double as lasted_ticks,
        null::double as spread_factor,
        scores.production_date
    from {{ ref("int_metric_together") }} as together
    inner join scores
        on together.series_id = scores.series_id
        and together.point_at = scores.point_at
    where together.ratio >= 1e0
),

final as (
    select * from ranked
    union all
    select * from out_of_limits
    union all
    select * from together
)

select * from final
