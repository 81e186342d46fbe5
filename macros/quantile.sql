{# A quantile of a group's values, NULLs left out, interpolated between two values as percentile_cont does. #}
{% macro quantile(value, share) -%}
    percentile_cont({{ share }}e0) within group (order by {{ value }})
{%- endmacro %}
