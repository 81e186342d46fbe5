{#
    How far k of n lies from a share p, in standard deviations, by Peizer and Pratt (1968), JASA 63, 1416-1456: the normal
    quantile of the binomial's exact lower tail P(X <= k) to about a hundredth, for 3 of 4 as for 300 of 400. NULL where
    nothing was tried. p has to lie within 0 and 1, both excluded.
#}
{% macro binomial_z(k, n, p) -%}
    {%- set q = "(1e0 - " ~ p ~ ")" -%}
    (
        ({{ k }} + 2e0 / 3e0 - ({{ n }} + 1e0 / 3e0) * {{ p }})
        * sqrt(greatest(
            1e0
            + {{ q }} * {{ _peizer_pratt("((" ~ k ~ " + 5e-1) / nullif(" ~ n ~ " * " ~ p ~ ", 0e0))") }}
            + {{ p }} * {{ _peizer_pratt("((" ~ n ~ " - " ~ k ~ " - 5e-1) / nullif(" ~ n ~ " * " ~ q ~ ", 0e0))") }},
            0e0
        ))
        / sqrt(({{ n }} + 1e0 / 6e0) * {{ p }} * {{ q }})
    )
{%- endmacro %}

{# (1 - x^2 + 2 x ln x) / (1 - x)^2, which is 1 at 0 and 0 at 1; negative where x is. #}
{% macro _peizer_pratt(x) -%}
    case
        when {{ x }} <= 0e0 then 1e0
        when abs(1e0 - {{ x }}) < 1e-4 then (1e0 - {{ x }}) / 3e0
        else (1e0 - {{ x }} * {{ x }} + 2e0 * {{ x }} * ln({{ x }})) / ((1e0 - {{ x }}) * (1e0 - {{ x }}))
    end
{%- endmacro %}
