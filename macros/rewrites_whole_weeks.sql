{#
    Whether a model with a row per attempt or module writes the touched weeks again with all that is in them. Spark must:
    its weeks are files. DuckDB takes out the touched modules alone, which are few. The variable is for tests.
#}
{% macro rewrites_whole_weeks() %}
    {{ return(target.type == "spark" or var("rewrite_whole_weeks")) }}
{% endmacro %}
