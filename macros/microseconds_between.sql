{# Microseconds from one time to another, a bigint. #}
{% macro microseconds_between(earlier, later) -%}
    {%- if target.type == "spark" -%}
        timestampdiff(microsecond, {{ earlier }}, {{ later }})
    {%- else -%}
        date_diff('microsecond', {{ earlier }}, {{ later }})
    {%- endif -%}
{%- endmacro %}
