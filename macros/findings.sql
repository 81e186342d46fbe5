{# Findings on records: one row per load week, product and test that has some. Counts come from int_product_test_week. #}
{% macro record_finding(finding, severity, quantity, example) -%}
    select
        '{{ finding }}' as finding,
        '{{ severity }}' as severity,
        'test_record' as table_name,
        load_week,
        product_name,
        test_name,
        null::string as machine_id,
        null::string as detail,
        {{ quantity }} as finding_count,
        {{ example }} as example
    from records
    where {{ quantity }} > 0
{%- endmacro %}

{# Findings on modules: one row per load week and product that has some. #}
{% macro module_finding(finding, severity, condition) -%}
    select
        '{{ finding }}' as finding,
        '{{ severity }}' as severity,
        'test_record' as table_name,
        load_week_start,
        load_week,
        product_name,
        null::string as test_name,
        null::string as machine_id,
        null::string as detail,
        count(*) as finding_count,
        min(serial_num) as example
    from modules
    where {{ condition }}
    group by all
{%- endmacro %}

{# Findings on names that the reference data does not have: one row per name; the counts are attempts. #}
{% macro name_finding(finding, severity, names, condition) -%}
    select
        '{{ finding }}' as finding,
        '{{ severity }}' as severity,
        'test_record' as table_name,
        null::string as load_week,
        {% for name in ["product_name", "test_name", "machine_id"] -%}
            {{ name if name in names else "null::string as " ~ name }},
        {% endfor -%}
        null::string as detail,
        sum(attempt_count)::bigint as finding_count,
        min(machine_id) as example
    from stations
    where {{ condition }}
    group by all
{%- endmacro %}

{# Findings on readings of sensors: one row per production week, machine and source that has some. #}
{% macro sensor_finding(finding, severity, quantity, from="days") -%}
    select
        '{{ finding }}' as finding,
        '{{ severity }}' as severity,
        'sensor_reading' as table_name,
        {{ week_label("week_start") }} as load_week,
        machine_id,
        source as detail,
        sum({{ quantity }})::bigint as finding_count,
        min(sensor_id) as example
    from {{ from }}
    where {{ quantity }} > 0
    group by week_start, machine_id, source
{%- endmacro %}
