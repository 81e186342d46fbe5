{# Seconds of the intervals that fulfil a condition: microseconds are summed, then divided. #}
{% macro seconds_where(condition) -%}
    sum(case when {{ condition }} then duration_us else 0 end)::bigint / 1e6
{%- endmacro %}
