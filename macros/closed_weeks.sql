{#
    Weeks older than the plant's retention are closed: their rows in the weekly models stay as they are, their detail is
    gone. raw.closing is what the pipeline decided; ops.closed what of it this warehouse has carried out.
#}

{# Condition: the week still changes, and all that it is made of is there. #}
{% macro is_open(column) -%}
    {{ column }} >= (
        select coalesce(max(closed_before), date '1000-01-01') from {{ source("ops", "closed") }}
    )
{%- endmacro %}

{#
    Carries out the closings that are new to this warehouse: remembers which modules they close, then takes their rows
    out of the detail models. Each statement may be repeated: a build that is killed in between does the rest next time.
    Nothing here or in start_build may ask dbt for a relation that is no model: it would look it up in a transaction,
    which it rolls back when the hook is over, and all that was done since with it.
#}
{% macro close_weeks() %}
    {% do run_query("create table if not exists ops.closed (closed_before date, last_load_id string)") %}
    {% do run_query(
        "create table if not exists ops.closed_module (serial_num string, product_name string, life_number bigint,"
        ~ " load_week_start date, first_tested_at timestamp, last_tested_at timestamp, last_load_id string)"
    ) %}
    {% set closings = run_query(
        "select cast(closings.closed_before as string) as closed_before, closings.last_load_id,"
        ~ " ledger.key is not null as is_held from raw.closing as closings"
        ~ " left join ops.ledger as ledger on ledger.kind = 'load' and ledger.key = closings.last_load_id"
        ~ " where closings.closed_before not in (select closed_before from ops.closed)"
        ~ " order by closings.closed_before"
    ).rows %}
    {% for closing in closings %}
        {% if not closing["is_held"] and not var("without_closed_weeks") %}
            {% do exceptions.raise_compiler_error(
                "Weeks before " ~ closing["closed_before"] ~ " are closed, and this warehouse does not hold them."
                ~ " Restore the last backup; where there is none, `python -m pipeline begin-anew` builds the weeks"
                ~ " that the lake still has records of (docs/operations.md)."
            ) %}
        {% endif %}
        {% do forget_detail(closing["closed_before"], closing["last_load_id"]) %}
        {% do run_query(
            "insert into ops.closed values (date '" ~ closing["closed_before"] ~ "', '" ~ closing["last_load_id"] ~ "')"
        ) %}
    {% endfor %}
{% endmacro %}

{% macro forget_detail(closed_before, last_load_id) %}
    {% set before = " < date '" ~ closed_before ~ "'" %}
    {% for node in graph.nodes.values() if node.config.get("meta", {}).get("detail") %}
        {% set relation = adapter.get_relation(node.database, node.schema, node.alias) %}
        {% set week = node.config.partition_by %}
        {% if relation %}
            {% if node.name == "int_module_progressed" %}
                {% do run_query(
                    "insert into ops.closed_module select serial_num, product_name, life_number, " ~ week ~ ","
                    ~ " first_tested_at, last_tested_at, '" ~ last_load_id ~ "' from " ~ relation ~ " where "
                    ~ week ~ before ~ " and " ~ week ~ " not in (select load_week_start from ops.closed_module)"
                ) %}
            {% endif %}
            {% do take_out_weeks(relation, week, before) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{# Takes the weeks that fulfil a condition such as " < date '2024-01-01'" out of a relation. #}
{% macro take_out_weeks(relation, column, condition) %}
    {% set weeks = "(select distinct " ~ column ~ " as week_start from " ~ relation
        ~ " where " ~ column ~ condition ~ ") as weeks" %}
    {% set statement = adapter.dispatch("clear_weeks")(relation, column, weeks) | trim %}
    {% if statement %}{% do run_query(statement) %}{% endif %}
{% endmacro %}

{# The first open week as a text such as 2024-01-01; none where no week was closed. #}
{% macro first_open_week() %}
    {{ return(run_query("select cast(max(closed_before) as string) from ops.closed").rows[0][0]) }}
{% endmacro %}

{# Condition on the input of a table that is only about closed weeks: spares a plant without them the reading of raw. #}
{% macro some_week_is_closed() -%}
    {{ "false" if execute and load_relation(source("ops", "closed")) and not first_open_week() else "true" }}
{%- endmacro %}
