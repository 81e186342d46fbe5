{#
    Makes every source of the lake readable as raw.<table>: views over its Parquet files in DuckDB, external tables in
    Spark. The loader keeps an empty schema.parquet in each folder, so that a table without a record still has its columns.
#}
{% macro attach_lake() -%}
    {% do run_query("create schema if not exists raw") %}
    {% for node in graph.sources.values() if node.source_name == "raw" %}
        {% set folder = env_var("FIRSTPASS_LAKE", env_var("FIRSTPASS_DATA", "data") ~ "/lake") ~ "/raw/" ~ node.name %}
        {% do adapter.dispatch("attach_folder")("raw." ~ node.identifier, folder | replace("'", "''")) %}
    {% endfor %}
{%- endmacro %}

{% macro duckdb__attach_folder(table, folder) %}
    {% do run_query(
        "create or replace view " ~ table ~ " as"
        ~ " select * from read_parquet('" ~ folder ~ "/*.parquet', union_by_name = true)"
    ) %}
{% endmacro %}

{# Spark would take the columns of any one file: those of an older contract, perhaps. #}
{% macro spark__attach_folder(table, folder) %}
    {% set columns = [] %}
    {% for row in run_query("describe query select * from parquet.`" ~ folder ~ "/schema.parquet`").rows %}
        {% do columns.append("`" ~ row["col_name"] ~ "` " ~ row["data_type"]) %}
    {% endfor %}
    {% do run_query("drop table if exists " ~ table) %}
    {% do run_query(
        "create table " ~ table ~ " (" ~ columns | join(", ") ~ ") using parquet location '" ~ folder ~ "'"
    ) %}
{% endmacro %}
