{# A number as a text of some three digits, the same on every engine. #}
{% macro number_text(value) -%}
    case
        when abs({{ value }}) >= 1e15 then 'very much'
        when abs({{ value }}) >= 100e0 then cast(round({{ value }}, 0)::decimal(18, 0) as string)
        when abs({{ value }}) >= 10e0 then cast(round({{ value }}, 1)::decimal(18, 1) as string)
        when abs({{ value }}) >= 1e-1 then cast(round({{ value }}, 2)::decimal(18, 2) as string)
        else cast(round({{ value }}, 4)::decimal(18, 4) as string)
    end
{%- endmacro %}
