{# The time so many microseconds (a bigint) after another. #}
{% macro microseconds_after(time, microseconds) -%}
    {%- if target.type == "spark" -%}
        ({{ time }} + ({{ microseconds }}) * interval '0 00:00:00.000001' day to second)
    {%- else -%}
        ({{ time }} + to_microseconds({{ microseconds }}))
    {%- endif -%}
{%- endmacro %}

{# The time so many seconds (a double) after another, to the microsecond. #}
{% macro seconds_after(time, seconds) -%}
    {{ microseconds_after(time, "round(" ~ seconds ~ " * 1e6)::bigint") }}
{%- endmacro %}
