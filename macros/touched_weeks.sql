{# Pre-hook of a weekly model: takes out the weeks that the model is about to write again. #}
{% macro clear_touched_weeks(column) %}
    {% set touched_weeks = ref("int_touched_week") %}
    {% if is_incremental() %}
        delete from {{ this }} where {{ column }} in (select week_start from {{ touched_weeks }})
    {% endif %}
{% endmacro %}

{# Condition on a weekly model's input: only the weeks being written; everything when built from scratch. #}
{% macro in_touched_weeks(column) -%}
    {% set touched_weeks = ref("int_touched_week") %}
    {%- if is_incremental() -%}
        {{ column }} in (select week_start from {{ touched_weeks }})
    {%- else -%}
        true
    {%- endif %}
{%- endmacro %}
