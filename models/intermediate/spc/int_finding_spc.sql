-- Findings on measurements and control charts.
{{ config(materialized="view") }}

{% set of_weeks = [
    ("duplicate_record", "info", "record_count - measurement_count"),
    ("conflicting_record", "warning", "conflict_count"),
    ("measurement_without_attempt", "warning", "orphan_count"),
    ("ambiguous_measurement", "warning", "ambiguous_count"),
    ("limits_inverted", "warning", "inverted_count"),
    ("units_differ", "warning", "units_differ::int"),
] %}

with

weeks as (
    select * from {{ ref("int_measured_week") }}
),

lines as (
    select * from {{ ref("int_control_chart") }}
),

series as (
    select distinct chart from {{ ref("int_chart_version") }}
),

late as (
    select
        {{ week_label("date_trunc('week', " ~ production_date("measurements.test_timestamp_local") ~ ")::date") }}
            as load_week,
        measurements.test_name,
        measurements.parameter,
        measurements.serial_num
    from {{ ref("stg_test_measurement") }} as measurements
    cross join {{ ref("stg_ref_plant") }} as plant
    inner join {{ source("ops", "closed") }} as closings
        on measurements.load_id > closings.last_load_id
        and {{ production_date("measurements.test_timestamp_local") }} < closings.closed_before
    where {{ some_week_is_closed() }}
),

final as (
    {% for finding, severity, quantity in of_weeks -%}
        select
            '{{ finding }}' as finding,
            '{{ severity }}' as severity,
            'test_measurement' as table_name,
            {{ week_label("production_week_start") }} as load_week,
            product_name,
            test_name,
            machine_id,
            parameter as detail,
            sum({{ quantity }})::bigint as finding_count,
            min(example) as example
        from weeks
        where {{ quantity }} > 0
        group by production_week_start, product_name, test_name, machine_id, parameter
        union all
    {% endfor -%}
    select
        'late_beyond_retention' as finding,
        'warning' as severity,
        'test_measurement' as table_name,
        load_week,
        null::string as product_name,
        test_name,
        null::string as machine_id,
        parameter as detail,
        count(distinct serial_num) as finding_count,
        min(serial_num) as example
    from late
    group by load_week, test_name, parameter
    {% for finding, quantity, condition in [
        ("ambiguous_chart", "line_count", "line_count > 1"),
        ("unknown_chart_rule", "1::bigint", "not is_rules_understood"),
        ("chart_without_data", "1::bigint", "chart not in (select chart from series) and not is_automatic"),
    ] %}
        union all
        select
            '{{ finding }}' as finding,
            'warning' as severity,
            'ref_control_charts' as table_name,
            null::string as load_week,
            product_name,
            test_name,
            machine_id,
            null::string as detail,
            {{ quantity }} as finding_count,
            chart as example
        from lines
        where {{ condition }}
    {% endfor %}
)

select * from final
