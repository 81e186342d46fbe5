{# Seconds from one time to another, a double, exact to the microsecond. #}
{% macro seconds_between(earlier, later) -%}
    {{ adapter.dispatch("seconds_between")(earlier, later) }}
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    (date_diff('microsecond', {{ earlier }}, {{ later }}) / 1e6)
{%- endmacro %}

{% macro spark__seconds_between(earlier, later) -%}
    (timestampdiff(microsecond, {{ earlier }}, {{ later }}) / 1e6)
{%- endmacro %}
