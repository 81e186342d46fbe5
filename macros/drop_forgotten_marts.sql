{# Marts that are no part of the project any more would be published for ever, as they were. #}
{% macro duckdb__drop_forgotten_marts() %}
    {% set known = graph.nodes.values() | map(attribute="name") | list %}
    {% set marts = "select table_schema, table_name from information_schema.tables" %}
    {% for row in run_query(marts ~ " where table_schema in ('marts', 'publish')").rows if row[1] not in known %}
        {% do adapter.drop_relation(adapter.get_relation(target.database, row[0], row[1])) %}
    {% endfor %}
{% endmacro %}

{# What is published from Spark is what dbt's manifest names. #}
{% macro spark__drop_forgotten_marts() %}{% endmacro %}
