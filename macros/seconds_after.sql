{# The time so many seconds (a double) after another, to the microsecond. #}
{% macro seconds_after(time, seconds) -%}
    ({{ time }} + round({{ seconds }} * 1e6)::bigint * interval '1 microsecond')
{%- endmacro %}
