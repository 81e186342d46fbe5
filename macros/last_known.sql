{#
    The last value that is not NULL in a window's rows: of columns that grow along the window the same as their maximum,
    for a tenth of its price. An over clause follows.
#}
{% macro last_known(value) -%}
    {%- if target.type == "spark" -%}
        last_value({{ value }}) ignore nulls
    {%- else -%}
        last_value({{ value }} ignore nulls)
    {%- endif -%}
{%- endmacro %}
