{#
    Notes in ops.week which build wrote which weeks of a weekly model, so that a publication can leave out what it has
    (publish/weeks.py). A row without a week speaks for all weeks that have no row of their own: the model was built
    from scratch. Noted before the model writes, the new rows before the old ones go: a build that is killed has noted
    too much, never too little. `weeks`: the relation that lists them; none for all. Each model changes rows of its own
    only, since two that are built side by side would be in each other's way.
#}
{% macro duckdb__note_weeks(model_name, weeks) %}
    {% set build = "'" ~ invocation_id ~ "'" %}
    {% set older = "delete from ops.week where model = '" ~ model_name ~ "' and build <> " ~ build %}
    {% if weeks %}
        {% do run_query(
            "insert into ops.week select '" ~ model_name ~ "', week_start, " ~ build ~ " from " ~ weeks
            ~ " where week_start is not null"
        ) %}
        {% do run_query(older ~ " and week_start in (select week_start from " ~ weeks ~ ")") %}
    {% else %}
        {% do run_query("insert into ops.week values ('" ~ model_name ~ "', null, " ~ build ~ ")") %}
        {% do run_query(older) %}
    {% endif %}
{% endmacro %}

{# Parquet tables know no delete, and what Spark built is published whole. #}
{% macro spark__note_weeks(model_name, weeks) %}{% endmacro %}
