{# The product of a group's values, NULLs left out: no engine-neutral product() exists. A zero factor gives 0. #}
{% macro product_of(value) -%}
    case when min({{ value }}) <= 0e0 then 0e0 else exp(sum(ln(nullif({{ value }}, 0e0)))) end
{%- endmacro %}
