{#
    Makes every source of the lake readable as raw.<table>: views over its Parquet files in DuckDB.
    The loader keeps an empty schema.parquet in each folder, so that a table without a record still has its columns.
#}
{% macro attach_lake() -%}
    {{ return(adapter.dispatch("attach_lake")()) }}
{%- endmacro %}

{% macro duckdb__attach_lake() %}
    {% set lake = env_var("FIRSTPASS_DATA", "data") ~ "/lake/raw" %}
    {% do run_query("create schema if not exists raw") %}
    {% for node in graph.sources.values() if node.source_name == "raw" %}
        {% set files = (lake ~ "/" ~ node.name ~ "/*.parquet") | replace("'", "''") %}
        {% do run_query(
            "create or replace view raw." ~ node.identifier
            ~ " as select * from read_parquet('" ~ files ~ "', union_by_name = true)"
        ) %}
    {% endfor %}
{% endmacro %}
