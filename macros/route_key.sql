{# One text for a product and a test. #}
{% macro route_key(product_name, test_name) -%}
    concat({{ product_name }}, chr(31), {{ test_name }})
{%- endmacro %}
