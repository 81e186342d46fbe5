{#
    Condition on a time (UTC): it may lie in one of the production days that are read for the weeks of machine time being
    written (int_machine_day_read).
#}
{% macro read_for_machine_weeks(column) -%}
    {{ within_spans(column, "select day_start_at as span_start from " ~ ref("int_machine_day_read"), hours=26) }}
{%- endmacro %}
