{#
    95 % Wilson score interval of a share: Wilson (1927), JASA 22, 209-212; z = 1.959964.
    NULL where trials is 0; always within 0 and 1.
#}
{% macro wilson_low(successes, trials) -%}
    {{ _wilson_bound(successes, trials, "-") }}
{%- endmacro %}

{% macro wilson_high(successes, trials) -%}
    {{ _wilson_bound(successes, trials, "+") }}
{%- endmacro %}

{% macro _wilson_bound(successes, trials, sign) -%}
    {%- set z2 = 3.841458820694124 -%}
    {%- set k = "(" ~ successes ~ ")::double" -%}
    {%- set n = "nullif((" ~ trials ~ ")::double, 0e0)" -%}
    case when {{ n }} > 0e0 then least(1e0, greatest(0e0, (
        {{ k }} + {{ z2 / 2 }}e0
        {{ sign }} sqrt({{ z2 }}e0 * ({{ k }} * (1e0 - {{ k }} / {{ n }}) + {{ z2 / 4 }}e0))
    ) / ({{ n }} + {{ z2 }}e0))) end
{%- endmacro %}
