-- One row per control chart, panel and point with a value and limits: which run rules fire there, whether or not the
-- chart asks for them.
{{ config(materialized="view") }}
{% set side_runs = [("n2", 9), ("w4", 8)] %}
{# Spark knows no frame on a named window. #}
{% set in_run = "partition by chart_id, panel, version, segment order by point_number" %}
{% set zone_runs = [("n5", 2, 3, 2), ("n6", 4, 5, 1), ("w2", 2, 3, 2), ("w3", 4, 5, 1)] %}

with

lines as (
    select * from {{ ref("int_control_chart") }}
),

limits as (
    select * from {{ ref("int_chart_limit") }}
),

-- a point without a value is no point of a run
points as (
    select
        points.*,
        lines.run_rules,
        lines.is_critical,
        lines.is_of_values and points.panel = 'location' as has_zones,
        limits.status,
        lines.run_gap_h is not null and {{ seconds_between(
            "lag(points.started_at_local) over in_panel", "points.started_at_local"
        ) }} > lines.run_gap_h * 3600e0 as is_after_gap
    from {{ ref("control_chart_point") }} as points
    inner join lines on points.chart = lines.chart
    inner join limits
        on points.chart_id = limits.chart_id
        and points.version = limits.version
    where points.value is not null and limits.status <> 'no_variation'
    window in_panel as (partition by points.chart_id, points.panel order by points.point_number)
),

segmented as (
    select
        *,
        sum(case when is_after_gap then 1 else 0 end) over (
            partition by chart_id, panel, version order by point_number
        ) as segment
    from points
),

compared as (
    select
        *,
        sign(deviation_sigma) as side,
        sign(round((value - lag(value) over in_run) / standard_error, 9)) as direction
    from segmented
    window in_run as (partition by chart_id, panel, version, segment order by point_number)
),

turned as (
    select
        *,
        direction * lag(direction) over in_run as turn
    from compared
    window in_run as (partition by chart_id, panel, version, segment order by point_number)
),

tested as (
    select
        *,
        coalesce(
            (value - upper_limit) / coalesce(standard_error, 1e0) > 1e-9
            or (lower_limit - value) / coalesce(standard_error, 1e0) > 1e-9,
            false
        ) as fires_n1,
        {% for rule, length in side_runs -%}
            abs(sum(side) over ({{ in_run }} rows between {{ length - 1 }} preceding and current row))
            = {{ length }} as fires_{{ rule }},
        {% endfor -%}
        abs(sum(direction) over ({{ in_run }} rows between 4 preceding and current row)) = 5 as fires_n3,
        sum(case when turn = -1 then 1 else 0 end) over ({{ in_run }} rows between 11 preceding and current row)
        = 12 as fires_n4,
        {% for rule, count, length, sigmas in zone_runs -%}
            has_zones and (
                (
                    deviation_sigma > {{ sigmas }} and sum(case when deviation_sigma > {{ sigmas }} then 1 else 0 end)
                        over ({{ in_run }} rows between {{ length - 1 }} preceding and current row)
                    >= {{ count }}
                )
                or (
                    deviation_sigma < -{{ sigmas }} and sum(case when deviation_sigma < -{{ sigmas }} then 1 else 0 end)
                        over ({{ in_run }} rows between {{ length - 1 }} preceding and current row)
                    >= {{ count }}
                )
            ) as fires_{{ rule }},
        {% endfor -%}
        has_zones and sum(case when abs(deviation_sigma) <= 1 then 1 else 0 end)
            over ({{ in_run }} rows between 14 preceding and current row)
        = 15 as fires_n7,
        has_zones and sum(case when abs(deviation_sigma) > 1 then 1 else 0 end)
            over ({{ in_run }} rows between 7 preceding and current row)
        = 8 as fires_n8
    from turned
)

select * from tested
