{#
    Pre-hook of a weekly model: takes out the weeks that the model is about to write again. Its partition_by, which only
    Spark heeds, is the column that holds the week.
    `weeks`: the model that lists them; int_touched_module_week where the rows depend on routes.
#}
{% macro clear_touched_weeks(weeks="int_touched_week") %}
    {% set touched_weeks = ref(weeks) %}
    {% if execute %}
        {% do adapter.dispatch("note_weeks")(this.identifier, touched_weeks if is_incremental() else none) %}
    {% endif %}
    {% if execute and is_incremental() %}
        {{ adapter.dispatch("clear_weeks")(this, config.require("partition_by"), touched_weeks) }}
    {% endif %}
{% endmacro %}

{# The same for a model with a row per attempt or module: takes out those that in_touched_modules lets in. #}
{% macro clear_touched_modules(weeks="int_touched_week") %}
    {% set condition = in_touched_modules(config.require("partition_by"), weeks) %}
    {% if rewrites_whole_weeks() %}
        {{ clear_touched_weeks(weeks) }}
    {% elif execute %}
        {% do adapter.dispatch("note_weeks")(this.identifier, ref(weeks) if is_incremental() else none) %}
        {{ "delete from " ~ this ~ " where " ~ condition if is_incremental() }}
    {% endif %}
{% endmacro %}

{% macro duckdb__clear_weeks(relation, column, weeks) %}
    delete from {{ relation }} where {{ column }} in (select week_start from {{ weeks }})
{% endmacro %}

{# Parquet tables know no delete; the weeks are their partitions. #}
{% macro spark__clear_weeks(relation, column, weeks) %}
    {% set partitions = [] %}
    {% for row in run_query("select cast(week_start as string) as week from " ~ weeks).rows %}
        {% do partitions.append("partition (" ~ column ~ " = date'" ~ row["week"] ~ "')") %}
    {% endfor %}
    {% if partitions %}
        alter table {{ relation }} drop if exists {{ partitions | join(", ") }}
    {% endif %}
{% endmacro %}

{#
    Condition on a date: from the first to the last that is in `found` of the table `where`. Written out, since a view's
    joins let through to its tables what is written out, but not what is found in another table.
#}
{% macro within_range(column, found, where) -%}
    {%- set range = run_query(
        "select cast(min(" ~ found ~ ") as string), cast(max(" ~ found ~ ") as string) from " ~ where
    ).rows[0] if execute -%}
    {{ column }} between
    {%- if range and range[0] %} date '{{ range[0] }}' and date '{{ range[1] }}' {%- else %} null and null {%- endif -%}
{%- endmacro %}

{#
    Condition on a weekly model's input: only the weeks being written; everything when built from scratch.
    `of_view`: the input is a view with joins.
#}
{% macro in_touched_weeks(column, weeks="int_touched_week", of_view=false) -%}
    {% set touched_weeks = ref(weeks) %}
    {%- if is_incremental() -%}
        {{ column }} in (select week_start from {{ touched_weeks }})
        {%- if of_view %} and {{ within_range(column, "week_start", touched_weeks) }}{% endif %}
    {%- else -%}
        true
    {%- endif %}
{%- endmacro %}

{#
    The same for a model with a row per attempt or module: of the weeks being written only the modules that may look
    different, unless whole weeks are written.
#}
{% macro in_touched_modules(column, weeks="int_touched_week") -%}
    {% set touched_serials = ref("int_touched_serial") %}
    {% set changed_routes = ref("int_route_changed") if weeks == "int_touched_module_week" %}
    {{ in_touched_weeks(column, weeks) }}
    {%- if is_incremental() and not rewrites_whole_weeks() %}
        and (
            serial_num in (select serial_num from {{ touched_serials }})
            {%- if changed_routes %}
            or product_name in (select product_name from {{ changed_routes }})
            {%- endif %}
        )
    {%- endif -%}
{%- endmacro %}
