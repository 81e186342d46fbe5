-- One row per product, test and parameter: mean and spread of all values, their quantiles, and the Anderson-Darling
-- test of normality with mean and spread estimated (D'Agostino and Stephens, 1986, Goodness-of-Fit Techniques, table
-- 4.9).
with

standardised as (
    select
        *,
        count(*) over series as n,
        (row_number() over (partition by product_name, test_name, parameter order by value))::double as i,
        {{ ratio("value - avg(value) over series", "stddev_samp(value) over series") }} as z
    from {{ ref("int_capability_value") }}
    window series as (partition by product_name, test_name, parameter)
),

terms as (
    select
        *,
        (2e0 * i - 1e0) * ln(greatest({{ normal_cdf("z") }}, 1e-300))
        + (2e0 * (n - i) + 1e0) * ln(greatest({{ normal_cdf("(-z)") }}, 1e-300)) as term
    from standardised
),

summed as (
    select
        product_name,
        test_name,
        parameter,
        max_by(unit, test_timestamp) filter (where unit is not null) as unit,
        -- the newest limits count for all values
        max_by(lower_limit, test_timestamp) filter (where lower_limit is not null) as lower_limit,
        max_by(upper_limit, test_timestamp) filter (where upper_limit is not null) as upper_limit,
        max(target) as target,
        min(production_date) as first_date,
        max(production_date) as last_date,
        count(*) as value_count,
        count_if(value < lower_limit or value > upper_limit)::bigint as out_of_limits_count,
        avg(value) as value_mean,
        stddev_samp(value) as value_sd,
        percentile_cont(0.00135) within group (order by value) as quantile_low,
        percentile_cont(0.5) within group (order by value) as quantile_middle,
        percentile_cont(0.99865) within group (order by value) as quantile_high,
        -count(*) - sum(term) / count(*) as anderson_darling
    from terms
    group by product_name, test_name, parameter
),

adjusted as (
    select
        *,
        case
            when value_count >= 8 then anderson_darling * (1e0 + 0.75e0 / value_count + 2.25e0 / power(value_count, 2))
        end as a2
    from summed
),

final as (
    select
        *,
        case
            when a2 >= 0.6e0 then exp(1.2937e0 - 5.709e0 * a2 + 0.0186e0 * a2 * a2)
            when a2 > 0.34e0 then exp(0.9177e0 - 4.279e0 * a2 - 1.38e0 * a2 * a2)
            when a2 > 0.2e0 then 1e0 - exp(-8.318e0 + 42.796e0 * a2 - 59.938e0 * a2 * a2)
            when a2 is not null then 1e0 - exp(-13.436e0 + 101.14e0 * a2 - 223.73e0 * a2 * a2)
        end as normality_p
    from adjusted
)

select * from final
