{#
    The ledger, ops.ledger, says what the last green build held: one row per load, inferred route step and version of
    the code (kind, key). What is not in it is new; a build that fails leaves it as it was, so nothing is forgotten.
#}
{% macro start_build() %}
    {% if execute and flags.WHICH in ("run", "build", "test") %}
        {% do run_query("create schema if not exists ops") %}
        {% do run_query("create table if not exists ops.ledger (kind string, key string)") %}
        {% do run_query("create table if not exists ops.week (model string, week_start date, build string)") %}
        {% do attach_lake() %}
        {% do close_weeks() %}
        {% if flags.FULL_REFRESH or needs_rebuild() %}
            {% do begin_rebuild() %}
        {% endif %}
    {% endif %}
{% endmacro %}

{#
    Without their old rows the incremental models are built from scratch, each in one pass. What can't be built again,
    closed weeks and minutes whose readings are gone, stays; only the rows of the others go, and all of those are written
    anew.
#}
{% macro begin_rebuild() %}
    {% set open_from, readings_from = first_open_week(), first_kept_day("sensor_reading") %}
    {% if flags.FULL_REFRESH and (open_from or readings_from) %}
        {% do exceptions.raise_compiler_error(
            ("Weeks before " ~ open_from ~ " are closed" if open_from
            else "Sensor readings before " ~ readings_from ~ " are gone, but not what was made of them")
            ~ ": a full refresh would lose them. `make build` rebuilds all"
            ~ " other weeks where models, macros or reference data have changed (docs/operations.md)."
        ) %}
    {% endif %}
    {% do run_query("truncate table ops.ledger") %}
    {% do adapter.dispatch("drop_forgotten_marts")() %}
    {% for node in graph.nodes.values()
        if node.config.materialized == "incremental" and node.unique_id in selected_resources %}
        {% set relation = adapter.get_relation(node.database, node.schema, node.alias) %}
        {% set first_day = readings_from if node.config.get("meta", {}).get("of_readings") else open_from %}
        {% if relation and first_day %}
            {% do take_out_weeks(relation, node.config.partition_by, " >= date '" ~ first_day ~ "'") %}
        {% elif relation %}
            {% do adapter.drop_relation(relation) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{# Whether every week is out of date: nothing was built yet, reference data or the code changed. #}
{% macro needs_rebuild() %}
    {% set found = run_query(
        "select"
        ~ " (select count(*) from ops.ledger where kind = 'code' and key = '" ~ code_version() ~ "'),"
        ~ " (select count(*) from raw.load where status = 'loaded' and table_name like 'ref!_%' escape '!'"
        ~ " and load_id not in (select key from ops.ledger where kind = 'load'))"
    ).rows[0] %}
    {{ return(found[0] == 0 or found[1] > 0) }}
{% endmacro %}

{# Fingerprint of the models, and of macros and settings, which dbt does not show here: the pipeline names theirs. #}
{% macro code_version() %}
    {% set parts = [env_var("FIRSTPASS_CODE", "")] %}
    {% for node in graph.nodes.values() if node.resource_type == "model" %}
        {% do parts.append(node.unique_id ~ node.checksum.checksum) %}
    {% endfor %}
    {{ return(local_md5(parts | sort | join("\n"))) }}
{% endmacro %}

{#
    Writes the ledger when the whole project was built, but for views, which hold no rows, and everything in it passed. A
    refresh builds only what is made of the tables that it names (FIRSTPASS_REFRESHED, separated by blanks): where that
    passed, their loads are held, too.
#}
{% macro finish_build(results, loads, routes) %}
    {% set refreshed = env_var("FIRSTPASS_REFRESHED", "").split() %}
    {% if execute and is_green(results) %}
        {% do run_query("truncate table ops.ledger") %}
        {% do run_query(
            "insert into ops.ledger"
            ~ " select 'load', load_id from " ~ loads
            ~ " union all select 'route', " ~ route_key("product_name", "test_name") ~ " from " ~ routes
            ~ " where is_inferred"
            ~ " union all select 'code', '" ~ code_version() ~ "'"
        ) %}
    {% elif execute and refreshed and not has_failed(results) %}
        {% do run_query(
            "insert into ops.ledger select 'load', load_id from " ~ loads
            ~ " where is_new and table_name in ('" ~ refreshed | join("', '") ~ "')"
        ) %}
    {% endif %}
{% endmacro %}

{% macro has_failed(results) %}
    {% for result in results if result.status in ("error", "fail", "skipped", "runtime error") %}
        {{ return(true) }}
    {% endfor %}
    {{ return(false) }}
{% endmacro %}

{% macro is_green(results) %}
    {% if has_failed(results) %}{{ return(false) }}{% endif %}
    {% set built = results | map(attribute="node.unique_id") | list %}
    {% for node in graph.nodes.values()
        if node.resource_type == "model" and node.config.materialized != "view" and node.unique_id not in built %}
        {{ return(false) }}
    {% endfor %}
    {{ return(true) }}
{% endmacro %}
