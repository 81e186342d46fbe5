{# The texts of a group as one, with commas between them, in a given order; NULL where there is none. `separator`: where
   the texts have commas themselves. #}
{% macro listed(text, order, separator=", ") -%}
    {%- if target.type == "spark" -%}
        nullif(listagg({{ text }}, '{{ separator }}') within group (order by {{ order }}), '')
    {%- else -%}
        string_agg({{ text }}, '{{ separator }}' order by {{ order }})
    {%- endif -%}
{%- endmacro %}
