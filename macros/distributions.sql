{#
    Distribution functions and quantiles, which no two engines share. Accuracies are those that tests/python/models/spc
    finds, against values computed in many digits.
#}

{# Normal distribution function, to 1e-15 (in the tails to 1e-8 of its value): Hart (1968), algorithm 5666, as in West (2005), Wilmott Magazine, May. #}
{% macro normal_cdf(z) -%}
    {%- set x = "abs(" ~ z ~ ")" -%}
    {%- set above = [
        "3.52624965998911e-2", "0.700383064443688e0", "6.37396220353165e0", "33.912866078383e0", "112.079291497871e0",
        "221.213596169931e0", "220.206867912376e0",
    ] -%}
    {%- set below = [
        "8.83883476483184e-2", "1.75566716318264e0", "16.064177579207e0", "86.7807322029461e0", "296.564248779674e0",
        "637.333633378831e0", "793.826512519948e0", "440.413735824752e0",
    ] -%}
    (case when {{ z }} > 0e0 then 1e0 else 0e0 end + case when {{ z }} > 0e0 then -1e0 else 1e0 end * case
        when {{ x }} > 37e0 then 0e0
        when {{ x }} < 7.07106781186547e0
            then exp(-{{ x }} * {{ x }} / 2e0) * {{ _polynomial(x, above) }} / {{ _polynomial(x, below) }}
        else
            exp(-{{ x }} * {{ x }} / 2e0) / 2.506628274631e0
            / ({{ x }} + 1e0 / ({{ x }} + 2e0 / ({{ x }} + 3e0 / ({{ x }} + 4e0 / ({{ x }} + 0.65e0)))))
    end)
{%- endmacro %}

{# Coefficients from the highest power down, by Horner's rule. #}
{% macro _polynomial(x, coefficients) -%}
    {%- set nested = namespace(text=coefficients[0]) -%}
    {%- for coefficient in coefficients[1:] -%}
        {%- set nested.text = "(" ~ nested.text ~ " * " ~ x ~ " + " ~ coefficient ~ ")" -%}
    {%- endfor -%}
    {{ nested.text }}
{%- endmacro %}

{#
    χ² quantiles for 95 % intervals, `side` is low (2.5 %) or high (97.5 %), `nu` the degrees of freedom, a whole number:
    from const_quantile, joined as `quantiles` on quantile_row(nu), and beyond 100 degrees the Cornish-Fisher series, to 1e-9
    relative (Peiser 1943; Goldberg and Levine 1946, Annals of Mathematical Statistics 17, 216-225).
#}
{% macro chi_square_quantile(nu, side) -%}
    {%- set z = 1.959963984540054 if side == "high" else -1.959963984540054 -%}
    {%- set root = "sqrt(2e0 * " ~ nu ~ ")" -%}
    case
        when {{ nu }} <= 100 then quantiles.chi_square_{{ side }}
        else
            {{ nu }} + {{ root }} * {{ z }}e0 + {{ 2 / 3 * (z**2 - 1) }}e0
            + {{ (z**3 - 7 * z) / 9 }}e0 / {{ root }}
            - {{ (6 * z**4 + 14 * z**2 - 32) / 405 }}e0 / {{ nu }}
            + {{ (9 * z**5 + 256 * z**3 - 433 * z) / 4860 }}e0 / ({{ root }} * {{ nu }})
            + {{ (12 * z**6 - 243 * z**4 - 923 * z**2 + 1472) / 25515 }}e0 / ({{ nu }} * {{ nu }})
            - {{ (3753 * z**7 + 4353 * z**5 - 289517 * z**3 - 289717 * z) / 9185400 }}e0
            / ({{ root }} * {{ nu }} * {{ nu }})
    end
{%- endmacro %}

{# 97.5 % quantile of Student's t, likewise; the series is Abramowitz and Stegun 26.7.5, to 1e-10. #}
{% macro student_quantile(nu) -%}
    {%- set z = 1.959963984540054 -%}
    case
        when {{ nu }} <= 100 then quantiles.student_high
        else
            {{ z }}e0 + {{ (z**3 + z) / 4 }}e0 / {{ nu }}
            + {{ (5 * z**5 + 16 * z**3 + 3 * z) / 96 }}e0 / ({{ nu }} * {{ nu }})
            + {{ (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384 }}e0 / ({{ nu }} * {{ nu }} * {{ nu }})
            + {{ (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160 }}e0
            / ({{ nu }} * {{ nu }} * {{ nu }} * {{ nu }})
    end
{%- endmacro %}

{# The row of const_quantile for so many degrees of freedom. #}
{% macro quantile_row(nu) -%}
    least(greatest({{ nu }}, 1), 100)
{%- endmacro %}

{# ln Γ(x) for x > 0, to 1e-14 relative: Stirling's series from x + 8 on, and the recurrence down to x. #}
{% macro ln_gamma(x) -%}
    {%- set up = "(" ~ x ~ " + 8e0)" -%}
    (
        ({{ up }} - 0.5e0) * ln({{ up }}) - {{ up }} + 0.918938533204672741780e0 + 1e0 / (12e0 * {{ up }})
        - 1e0 / (360e0 * power({{ up }}, 3)) + 1e0 / (1260e0 * power({{ up }}, 5)) - 1e0 / (1680e0 * power({{ up }}, 7))
        + 1e0 / (1188e0 * power({{ up }}, 9)) - 691e0 / (360360e0 * power({{ up }}, 11))
        - ln({{ x }} * ({{ x }} + 1e0) * ({{ x }} + 2e0) * ({{ x }} + 3e0))
        - ln(({{ x }} + 4e0) * ({{ x }} + 5e0) * ({{ x }} + 6e0) * ({{ x }} + 7e0))
    )
{%- endmacro %}

{#
    c4 for more than 25 values, to 1e-12: Γ(m + 1/2) / Γ(m) = √m (1 - 1/(8m) + 1/(128m²) + ...), m = (n - 1) / 2.
#}
{% macro c4_of_many(n) -%}
    {%- set coefficients = [39325 / 33554432, 869 / 4194304, -399 / 262144, -21 / 32768, 5 / 1024, 1 / 128, -1 / 8, 1] -%}
    {%- set texts = [] -%}
    {%- for coefficient in coefficients -%}{%- do texts.append(coefficient ~ "e0") -%}{%- endfor -%}
    {{ _polynomial("(2e0 / (" ~ n ~ " - 1e0))", texts) }}
{%- endmacro %}
