-- One row per chart and subgroup, in order: what is plotted, before there are limits. Of the automatic charts only
-- those with the most units are kept. `spread` is range, standard deviation or moving range; sigma_estimate what one
-- subgroup's spread tells of σ, sigma_weight the inverse of its variance in units of σ².
with

lines as (
    select * from {{ ref("int_control_chart") }}
),

constants as (
    select * from {{ ref("const_chart_constant") }}
),

subgroups as (
    select
        chart_id,
        chart,
        product_name,
        test_name,
        parameter,
        machine_id,
        subgroup_rank,
        started_at,
        started_at_local,
        value_count as sample_size,
        null::bigint as event_count,
        value_mean,
        value_sd,
        value_range,
        production_date
    from {{ ref("int_chart_subgroup") }}
    union all
    select
        chart_id,
        chart,
        product_name,
        test_name,
        null::string as parameter,
        machine_id,
        1::bigint as subgroup_rank,
        null::timestamp as started_at,
        started_at_local,
        sample_size,
        event_count,
        null::double as value_mean,
        null::double as value_sd,
        null::double as value_range,
        production_date
    from {{ ref("int_chart_count") }}
),

series as (
    select
        chart_id,
        chart,
        sum(sample_size) as unit_count,
        max(sample_size) as largest_size
    from subgroups
    group by chart_id, chart
),

series_kept as (
    select
        lines.*,
        series.chart_id,
        series.largest_size
    from series
    inner join lines on series.chart = lines.chart
    qualify
        not lines.is_automatic
        or row_number() over (
            partition by lines.chart order by series.unit_count desc nulls last, series.chart_id asc
        ) <= {{ var("automatic_charts") }}
),

numbered as (
    select
        subgroups.*,
        series.chart_type,
        series.constants,
        -- the only spread of single values is that between them
        series.chart_type = 'imr'
        or (series.chart_type in ('ewma', 'cusum') and series.largest_size = 1) as is_of_singles,
        case
            when series.is_of_values then subgroups.value_mean
            when series.chart_type in ('np', 'c') then subgroups.event_count::double
            else {{ ratio("subgroups.event_count", "subgroups.sample_size") }}
        end as value,
        (row_number() over (
            partition by subgroups.chart_id
            order by
                subgroups.production_date,
                coalesce(subgroups.started_at, subgroups.started_at_local),
                subgroups.subgroup_rank
        ))::bigint as point_number
    from subgroups
    inner join series_kept as series on subgroups.chart_id = series.chart_id
),

exclusions as (
    select * from {{ ref("stg_ref_chart_exclusions") }}
),

excluded as (
    select
        numbered.chart_id,
        numbered.point_number,
        min(exclusions.cause) as exclusion_cause
    from numbered
    inner join exclusions
        on numbered.started_at_local between exclusions.excluded_from_local and exclusions.excluded_to_local
        {% for key in ["chart", "product_name", "test_name", "parameter", "machine_id"] -%}
            and (exclusions.{{ key }} is null or exclusions.{{ key }} = numbered.{{ key }})
        {% endfor %}
    group by numbered.chart_id, numbered.point_number
),

versions as (
    select * from {{ ref("int_chart_version") }}
),

placed as (
    select
        numbered.*,
        versions.version,
        excluded.exclusion_cause,
        case
            when numbered.is_of_singles then abs(numbered.value - lag(numbered.value) over in_version)
            when numbered.chart_type = 'xbar-r' and numbered.sample_size > 1 then numbered.value_range
            else numbered.value_sd
        end as spread
    from numbered
    inner join versions
        on numbered.chart_id = versions.chart_id
        and (versions.valid_from_local is null or numbered.started_at_local >= versions.valid_from_local)
        and (versions.valid_until_local is null or numbered.started_at_local < versions.valid_until_local)
    left join excluded
        on numbered.chart_id = excluded.chart_id
        and numbered.point_number = excluded.point_number
    -- a point without a value has no place in it
    window in_version as (
        partition by numbered.chart_id, versions.version, numbered.value is null order by numbered.point_number
    )
),

with_constants as (
    select
        placed.*,
        constants.d2,
        constants.d3,
        case when placed.sample_size > 25 then {{ c4_of_many("placed.sample_size") }} else constants.c4 end as c4
    from placed
    left join constants
        on constants.n = case when placed.is_of_singles then 2 else placed.sample_size end
        and placed.constants = constants.constants
),

final as (
    select
        chart_id,
        chart,
        chart_type,
        product_name,
        test_name,
        parameter,
        machine_id,
        point_number,
        version,
        started_at,
        started_at_local,
        production_date,
        sample_size,
        event_count,
        value,
        spread,
        is_of_singles,
        case
            when is_of_singles or chart_type = 'xbar-r' then spread / d2
            else spread / c4
        end as sigma_estimate,
        case
            when chart_type = 'xbar-r' then d2 * d2 / (d3 * d3)
            -- successive moving ranges share a point
            when is_of_singles then 1e0 / 0.826447e0
            else c4 * c4 / (1e0 - c4 * c4)
        end as sigma_weight,
        exclusion_cause is not null as is_excluded,
        exclusion_cause
    from with_constants
)

select * from final
