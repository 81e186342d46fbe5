{#
    Condition on the wall time of test records: they may belong to one of the weeks. `weeks`: a query that gives their
    Mondays as week_start. A production week ends where its last production day does, up to a day later than the
    calendar's.
#}
{% macro started_in_weeks(column, weeks) -%}
    {{ within_spans(column, "select week_start as span_start from (" ~ weeks ~ ") as weeks", hours=8 * 24) }}
{%- endmacro %}
