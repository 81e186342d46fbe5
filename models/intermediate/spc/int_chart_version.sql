-- One row per chart and version of its limits: the first, and one from each recorded rebase on. Of rebases at one
-- moment the most specific counts, then the first line. Where a rebase holds from the first point on, it is version
-- 1.
with

series as (
    {% for model, parameter in [("int_chart_subgroup", "parameter"), ("int_chart_count", "null::string")] -%}
        select
            chart_id,
            chart,
            product_name,
            test_name,
            {{ parameter }},
            machine_id,
            min(started_at_local) as started_at_local
        from {{ ref(model) }}
        group by chart_id, chart, product_name, test_name, {{ "parameter, " if parameter == "parameter" }}machine_id
        {{ "union all" if not loop.last }}
    {% endfor -%}
),

rebases as (
    select * from {{ ref("stg_ref_chart_rebases") }}
),

rebased as (
    select
        series.chart_id,
        series.chart,
        rebases.valid_from_local,
        rebases.reference_from_local,
        rebases.reference_to_local,
        rebases.reason
    from series
    inner join rebases
        on series.chart = rebases.chart
        {% for key in ["product_name", "test_name", "parameter", "machine_id"] -%}
            and (rebases.{{ key }} is null or rebases.{{ key }} = series.{{ key }})
        {% endfor %}
    qualify row_number() over (
        partition by series.chart_id, rebases.valid_from_local
        order by
            {% for key in ["product_name", "test_name", "parameter", "machine_id"] -%}
                case when rebases.{{ key }} is null then 0 else 1 end {{ "+" if not loop.last else "desc," }}
            {% endfor -%}
            rebases.line_number
    ) = 1
),

versions as (
    select
        chart_id,
        chart,
        null::timestamp as valid_from_local,
        null::timestamp as reference_from_local,
        null::timestamp as reference_to_local,
        null::string as reason
    from series
    where
        chart_id not in (
            select rebased.chart_id
            from rebased
            inner join series as started
                on rebased.chart_id = started.chart_id
                and rebased.valid_from_local <= started.started_at_local
        )
    union all
    select * from rebased
),

final as (
    select
        chart_id,
        chart,
        (row_number() over by_time)::bigint as version,
        valid_from_local,
        lead(valid_from_local) over by_time as valid_until_local,
        reference_from_local,
        reference_to_local,
        reason
    from versions
    window by_time as (partition by chart_id order by valid_from_local asc nulls first)
)

select * from final
