{# Freedman and Diaconis (1981), Zeitschrift für Wahrscheinlichkeitstheorie 57, 453-476 #}
{% set width = "2e0 * (upper_quartile - lower_quartile) / power(value_count, 1e0 / 3e0)" %}
{% set bins = 60 %}

with

measured as (
    select * from {{ ref("int_capability_value") }}
),

series as (
    select
        product_name,
        test_name,
        parameter,
        count(*) as value_count,
        min(value) as least,
        max(value) as most,
        percentile_cont(0.25) within group (order by value) as lower_quartile,
        percentile_cont(0.75) within group (order by value) as upper_quartile
    from measured
    group by product_name, test_name, parameter
),

-- values far outside are counted in the outermost bins: one of them would leave all others in a single bin
ranged as (
    select
        *,
        case
            when upper_quartile > lower_quartile
                then greatest(least, lower_quartile - 5e0 * (upper_quartile - lower_quartile))
            else least
        end as range_from,
        case
            when upper_quartile > lower_quartile
                then least(most, upper_quartile + 5e0 * (upper_quartile - lower_quartile))
            else most
        end as range_to
    from series
),

sized as (
    select
        *,
        greatest({{ width }}, (range_to - range_from) / {{ bins }}e0) as wanted_width
    from ranged
),

-- the next of 1, 2, 5, 10 ..., so that bins begin at numbers that gages show; none where all values are alike
exponents as (
    select
        *,
        case when wanted_width > 0e0 then floor(ln(wanted_width) / ln(10e0) + 1e-9)::bigint end as exponent
    from sized
),

rounded as (
    select
        *,
        -- of whole powers, which both engines give exactly
        case when exponent >= 0 then power(10e0, exponent) else 1e0 end as multiplier,
        case when exponent < 0 then power(10e0, -exponent) else 1e0 end as divisor
    from exponents
),

binned as (
    select
        *,
        case
            when wanted_width * divisor / multiplier <= 1e0 + 1e-9 then 1e0
            when wanted_width * divisor / multiplier <= 2e0 then 2e0
            when wanted_width * divisor / multiplier <= 5e0 then 5e0
            else 10e0
        end * multiplier as steps
    from rounded
),

placed as (
    select
        measured.product_name,
        measured.test_name,
        measured.parameter,
        binned.least,
        binned.steps,
        binned.divisor,
        binned.exponent,
        measured.value < binned.range_from or measured.value > binned.range_to as is_further_out,
        -- a value on an edge belongs to the bin above it, whatever its last digit
        floor(
            round(greatest(least(measured.value, binned.range_to), binned.range_from) * binned.divisor, 6)
            / binned.steps
        ) as place
    from measured
    inner join binned
        on measured.product_name = binned.product_name
        and measured.test_name = binned.test_name
        and measured.parameter = binned.parameter
),

final as (
    select
        -- keys
        product_name,
        test_name,
        parameter,
        case when exponent is null then least else place * steps / divisor end as bin_from,
        case when exponent is null then least else (place + 1e0) * steps / divisor end as bin_to,

        -- values
        count(*) as value_count,
        sum(case when is_further_out then 1 else 0 end)::bigint as further_out_count
    from placed
    group by product_name, test_name, parameter, bin_from, bin_to
)

select * from final
