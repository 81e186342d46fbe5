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

{# Condition on a weekly model's input: only the weeks being written; everything when built from scratch. #}
{% macro in_touched_weeks(column, weeks="int_touched_week") -%}
    {% set touched_weeks = ref(weeks) %}
    {%- if is_incremental() -%}
        {{ column }} in (select week_start from {{ touched_weeks }})
    {%- else -%}
        true
    {%- endif %}
{%- endmacro %}
