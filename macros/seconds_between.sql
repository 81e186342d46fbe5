{# Seconds from one time to another, a double, exact to the microsecond. #}
{% macro seconds_between(earlier, later) -%}
    {%- if target.type == "spark" -%}
        (timestampdiff(microsecond, {{ earlier }}, {{ later }}) / 1e6)
    {%- else -%}
        (date_diff('microsecond', {{ earlier }}, {{ later }}) / 1e6)
    {%- endif -%}
{%- endmacro %}
