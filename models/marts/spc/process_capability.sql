{% set z = "1.959963984540054e0" %}

with

moments as (
    select * from {{ ref("int_capability_moment") }}
),

within as (
    select * from {{ ref("int_capability_stability") }}
),

judged as (
    select
        moments.*,
        moments.upper_limit - moments.lower_limit as tolerance,
        nullif(moments.value_sd, 0e0) as sigma_overall,
        moments.value_count - 1 as degrees_overall,
        within.chart_id,
        nullif(within.sigma_within, 0e0) as sigma_within,
        within.degrees_within,
        within.point_count,
        within.signal_count,
        coalesce(within.stability, 'unknown') as stability,
        floor(
            moments.value_count
            * power(1e0 + power(moments.value_mean - moments.target, 2) / power(moments.value_sd, 2), 2)
            / (1e0 + 2e0 * power(moments.value_mean - moments.target, 2) / power(moments.value_sd, 2))
        )::bigint as degrees_cpm
    from moments
    left join within
        on moments.product_name = within.product_name
        and moments.test_name = within.test_name
        and moments.parameter = within.parameter
),

indexed as (
    select
        *,
        {% for name, sigma in [("c", "sigma_within"), ("p", "sigma_overall")] -%}
            tolerance / (6e0 * {{ sigma }}) as {{ name }}p,
            -- the nearer limit, or the only one
            least(
                (upper_limit - value_mean) / (3e0 * {{ sigma }}), (value_mean - lower_limit) / (3e0 * {{ sigma }})
            ) as {{ name }}pk,
        {% endfor -%}
        tolerance / (6e0 * sqrt(power(sigma_overall, 2) + power(value_mean - target, 2))) as cpm,
        {{ ratio("tolerance", "quantile_high - quantile_low") }} as percentile_pp,
        least(
            {{ ratio("upper_limit - quantile_middle", "quantile_high - quantile_middle") }},
            {{ ratio("quantile_middle - lower_limit", "quantile_middle - quantile_low") }}
        ) as percentile_ppk,
        coalesce(normality_p < 0.005e0, false) as is_normality_rejected
    from judged
),

{% for name, value, degrees in [
    ("bounded_within", "cp", "degrees_within"), ("bounded_overall", "pp", "degrees_overall"),
    ("bounded", "cpm", "degrees_cpm"),
] -%}
    {{ name }} as (
        select
            indexed.*,
            -- χ² of the estimate's degrees of freedom
            indexed.{{ value }} * sqrt(({{ chi_square_quantile(degrees, "low") }}) / {{ degrees }}) as {{ value }}_low,
            indexed.{{ value }} * sqrt(({{ chi_square_quantile(degrees, "high") }}) / {{ degrees }}) as {{ value }}_high
        from {{ ["indexed", "bounded_within", "bounded_overall"][loop.index0] }} as indexed
        left join {{ ref("const_quantile") }} as quantiles on quantiles.degrees = {{ quantile_row(degrees) }}
    ),

{% endfor -%}
final as (
    select
        -- keys
        product_name,
        test_name,
        parameter,

        -- values
        unit,
        lower_limit,
        upper_limit,
        target,
        first_date,
        last_date,
        value_count,
        out_of_limits_count,
        value_mean,
        sigma_within,
        sigma_overall,
        degrees_within,
        quantile_low,
        quantile_middle,
        quantile_high,

        -- indices
        {% for name, degrees in [("c", "degrees_within"), ("p", "degrees_overall")] -%}
            {{ name }}p,
            {{ name }}p_low,
            {{ name }}p_high,
            {{ name }}pk,
            -- Bissell (1990), Applied Statistics 39, 331-340
            {{ name }}pk
            - {{ z }}
            * sqrt(1e0 / (9e0 * value_count) + power({{ name }}pk, 2) / (2e0 * {{ degrees }})) as {{ name }}pk_low,
            {{ name }}pk
            + {{ z }}
            * sqrt(1e0 / (9e0 * value_count) + power({{ name }}pk, 2) / (2e0 * {{ degrees }})) as {{ name }}pk_high,
        {% endfor -%}
        cpm,
        cpm_low,
        cpm_high,
        percentile_pp,
        percentile_ppk,

        -- headline
        case when is_normality_rejected then 'percentiles (ISO 22514-2)' else 'normal' end as method,
        case when is_normality_rejected then percentile_pp else pp end as headline_pp,
        case when is_normality_rejected then percentile_ppk else ppk end as headline_ppk,
        anderson_darling,
        normality_p,

        -- stability
        stability,
        chart_id,
        point_count,
        signal_count
    from bounded
)

select * from final
