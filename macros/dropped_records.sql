{#
    Records of a raw table may be gone (retention.raw in plant.yml), but not what was made of them: a model with
    meta.of_readings keeps its rows from before the readings that are still there.
#}

{#
    Condition on the plant wall time of records: nothing that was taken at that time or later is gone. Written out as a
    time: compared with what a query finds, each record would go through a join.
#}
{% macro is_kept(table_name, column) -%}
    {%- set dropping = source("raw", "dropping") -%}
    {%- set found = run_query(
        "select cast(max(dropped_before) as string) from " ~ dropping ~ " where table_name = '" ~ table_name ~ "'"
    ).rows[0][0] if execute -%}
    {{ column }} >= timestamp '{{ found or "1000-01-01 00:00:00" }}'
{%- endmacro %}

{# The first production day of whose records none is gone, a text such as 2024-01-01; none where all days are. #}
{% macro first_kept_day(table_name) %}
    {{ return(run_query(
        "select cast(cast(max(dropped_before) as date) as string) from raw.dropping where table_name = '"
        ~ table_name ~ "'"
    ).rows[0][0]) }}
{% endmacro %}
