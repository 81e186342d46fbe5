{# The load that holds the current version of a reference table; NULL (no row is current) where there was none. #}
{% macro latest_load(table_name) -%}
    (select max(load_id) from {{ ref("stg_load") }} where status = 'loaded' and table_name = '{{ table_name }}')
{%- endmacro %}
