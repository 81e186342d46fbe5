{# Variance that a test of yield p on n modules adds to ln(rolled yield): (1 - p) / (n p), by the delta method. #}
{% macro log_variance(p, n) -%}
    {{ ratio("1e0 - " ~ p, p ~ " * " ~ n) }}
{%- endmacro %}

{# 95 % bound of a rolled yield, exp(ln y -+ 1.96 s), kept within 0 and 1; NULL where y is 0. #}
{% macro log_bound(y, s, sign) -%}
    case when {{ y }} > 0e0 then least(1e0, exp(ln({{ y }}) {{ sign }} 1.959963984540054e0 * {{ s }})) end
{%- endmacro %}
