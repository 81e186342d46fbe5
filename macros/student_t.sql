{#
    Student's t for degrees of freedom that need not be whole (Satterthwaite). tests/python/evaluate/test_shift_statistics.py
    compares both with values computed in many digits.
#}

{# 97.5 % quantile for df >= 1, to 2e-8 relative: a polynomial in 1 / df of its logarithm, fitted at Chebyshev points. #}
{% macro t_quantile(df) -%}
    {%- set coefficients = [
        "0.04306939", "-0.26602234", "0.69534643", "-0.98192505", "0.80003022", "-0.42110492", "0.23778711",
        "-0.07195462", "-0.23660301", "0.15261738", "0.70755856", "1.2103652", "0.6729261",
    ] -%}
    exp({{ _horner("(1e0 / " ~ df ~ ")", coefficients) }})
{%- endmacro %}

{#
    The normal deviate that is as unlikely as t: Hill (1970), CACM 13, algorithm 395. The relative error of a p-value of .05
    is under 1 % for 2 degrees of freedom, 1e-4 for 4 and 1e-6 from 8 on.
#}
{% macro t_as_normal(t, df) -%}
    {%- set a = "(" ~ df ~ " - 0.5e0)" -%}
    {%- set b = "(48e0 * " ~ a ~ " * " ~ a ~ ")" -%}
    {%- set y = "(" ~ a ~ " * ln(1e0 + " ~ t ~ " * " ~ t ~ " / " ~ df ~ "))" -%}
    (sqrt({{ y }}) * (
        (
            (((-0.4e0 * {{ y }} - 3.3e0) * {{ y }} - 24e0) * {{ y }} - 85.5e0)
            / (0.8e0 * {{ y }} * {{ y }} + 100e0 + {{ b }}) + {{ y }} + 3e0
        ) / {{ b }} + 1e0
    ))
{%- endmacro %}

{# Probability that a normal deviate is further from 0 than z >= 0, to 1.2e-7 relative: Numerical Recipes, erfcc. #}
{% macro two_sided_p_value(z) -%}
    {%- set u = "(1e0 / (1e0 + 0.353553390593274e0 * " ~ z ~ "))" -%}
    {%- set coefficients = [
        "0.17087277", "-0.82215223", "1.48851587", "-1.13520398", "0.27886807", "-0.18628806", "0.09678418", "0.37409196",
        "1.00002368", "-1.26551223",
    ] -%}
    ({{ u }} * exp({{ _horner(u, coefficients) }} - {{ z }} * {{ z }} / 2e0))
{%- endmacro %}

{# Coefficients from the highest power down. #}
{% macro _horner(x, coefficients) -%}
    {%- set nested = namespace(text=coefficients[0] ~ "e0") -%}
    {%- for coefficient in coefficients[1:] -%}
        {%- set nested.text = "(" ~ nested.text ~ " * " ~ x ~ " + " ~ coefficient ~ "e0)" -%}
    {%- endfor -%}
    {{ nested.text }}
{%- endmacro %}
