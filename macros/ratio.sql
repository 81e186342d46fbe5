{# numerator / denominator as a double; NULL where the denominator is 0 (engines differ on x / 0). #}
{% macro ratio(numerator, denominator) -%}
    (({{ numerator }})::double / nullif(({{ denominator }})::double, 0e0))
{%- endmacro %}
