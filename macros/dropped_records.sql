{#
    Records of a raw table may be gone (retention.raw in plant.yml), but not what was made of them: a model with
    meta.of_readings keeps its rows from before the readings that are still there.
#}

{# Condition on the plant wall time of records: nothing that was taken at that time or later is gone. #}
{% macro is_kept(table_name, column) -%}
    {{ column }} >= (
        select coalesce(max(dropped_before), timestamp '1000-01-01 00:00:00')
        from {{ source("raw", "dropping") }}
        where table_name = '{{ table_name }}'
    )
{%- endmacro %}

{# The first production day of whose records none is gone, a text such as 2024-01-01; none where all days are. #}
{% macro first_kept_day(table_name) %}
    {{ return(run_query(
        "select cast(cast(max(dropped_before) as date) as string) from raw.dropping where table_name = '"
        ~ table_name ~ "'"
    ).rows[0][0]) }}
{% endmacro %}
