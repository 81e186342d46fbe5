{# The texts of a group as one, with commas between them, in a given order; NULL where there is none. #}
{% macro listed(text, order) -%}
    {%- if target.type == "spark" -%}
        nullif(listagg({{ text }}, ', ') within group (order by {{ order }}), '')
    {%- else -%}
        string_agg({{ text }}, ', ' order by {{ order }})
    {%- endif -%}
{%- endmacro %}
