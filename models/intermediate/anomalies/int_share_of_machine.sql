-- One row per machine, metric of shares and production day: all that it tests, taken together, against what is usual of
-- each product and test, so that another mix is nothing. How far the last day, two days and five days lie below that,
-- as in int_share_judged: a trouble of the whole machine shows here before it shows in any one of its products.
with

days as (
    select
        entity,
        metric,
        production_date,
        min(point_at_local) as point_at_local,
        min(day_number) as day_number,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(denominator * usual_share) as expected,
        sum(base_count) as base_count
    from {{ ref("int_share_judged") }}
    where entity_type = 'station' and usual_share is not null and is_learned
    group by all
),

deviations as (
    select
        *,
        expected / denominator as usual_share,
        {{ binomial_z("numerator", "denominator", "(expected / denominator)") }} as first_z
    from days
),

spans as (
    select
        *,
        avg(case when abs(first_z) <= 3.5e0 then first_z * first_z end) over (
            partition by entity, metric order by day_number range between 33 preceding and 5 preceding
        ) as scatter,
        {% for days in [2, 5] -%}
            {% for count in ["numerator", "denominator", "expected"] -%}
                sum({{ count }}) over (
                    partition by entity, metric order by day_number
                    range between {{ days - 1 }} preceding and current row
                ) as {{ count }}_{{ days }},
            {% endfor -%}
        {% endfor -%}
        numerator as numerator_1,
        denominator as denominator_1,
        expected as expected_1
    from deviations
),

based as (
    select
        *,
        greatest(coalesce(scatter, 1e0), 1e0) as dispersion
    from spans
),

final as (
    select
        concat('station:', entity, ':', metric) as series_id,
        point_at_local,
        production_date,
        usual_share,
        numerator,
        denominator,
        {% for days in [1, 2, 5] -%}
            {%- set share = "(expected_" ~ days ~ " / denominator_" ~ days ~ ")" %}
            {{ binomial_z("numerator_" ~ days, "denominator_" ~ days, share) }}
            / sqrt(dispersion * (1e0 + denominator_{{ days }} / base_count::double)) as z_{{ days }},
        {% endfor -%}
        sqrt(dispersion * usual_share * (1e0 - usual_share) * (1e0 / denominator + 1e0 / base_count))
            as usual_deviation
    from based
)

select * from final
