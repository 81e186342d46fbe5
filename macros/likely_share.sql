{# The share that numerator of denominator speaks for, never quite 0 or 1: half a unit each way (Jeffreys). #}
{% macro likely_share(numerator, denominator) -%}
    (({{ numerator }} + 5e-1) / ({{ denominator }} + 1e0))
{%- endmacro %}
