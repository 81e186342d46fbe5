{#
    Pre-hook of a weekly model: takes out the weeks that the model is about to write again.
    `weeks`: the model that lists them; int_touched_module_week where the rows depend on routes.
#}
{% macro clear_touched_weeks(column, weeks="int_touched_week") %}
    {% set touched_weeks = ref(weeks) %}
    {% if is_incremental() %}
        delete from {{ this }} where {{ column }} in (select week_start from {{ touched_weeks }})
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
