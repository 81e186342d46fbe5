-- One row per series of shares and production day: how far the last day, two days and five days lie below what was
-- usual in the four weeks before them, and below the other machines of the same product and test; in standard
-- deviations by exact tails of the binomial, widened where days scatter more than units alone would, and where there is
-- little to compare with. Days that were far off are left out of what is usual. A product with little history borrows
-- from its family.
{% set before = "range between 33 preceding and 5 preceding" -%}

with

days as (
    select
        shares.*,
        floor(
            {{ seconds_between("timestamp '2000-01-03 00:00:00'", "shares.production_date::timestamp") }} / 86400e0
        )::bigint as day_number,
        coalesce(regimes.baseline_number, 0) as baseline_number
    from {{ ref("int_metric_share") }} as shares
    left join {{ ref("int_metric_regime") }} as regimes
        on shares.series_id = regimes.series_id
        and shares.point_at_local >= regimes.from_at
        and shares.point_at_local < regimes.to_at
),

first_looks as (
    select
        *,
        {% for count in ["numerator", "denominator"] -%}
            sum({{ count }}) over (
                partition by metric, family, test_name order by day_number {{ before }}
            ) as family_{{ count }},
            sum({{ count }}) over (
                partition by metric, product_name, test_name
                order by day_number range between 6 preceding and current row
            ) as peers_{{ count }},
            sum({{ count }}) over (
                partition by series_id order by day_number range between 6 preceding and current row
            ) as week_{{ count }},
        {% endfor -%}
        {{ likely_share("sum(numerator) over before", "sum(denominator) over before") }} as first_usual
    from days
    window before as (partition by series_id, baseline_number order by day_number {{ before }})
),

deviations as (
    select
        *,
        coalesce({{ binomial_z("numerator", "denominator", "first_usual") }}, 0e0) as first_z
    from first_looks
),

second_looks as (
    select
        *,
        sum(case when first_z > -3.5e0 then numerator end) over before as usual_numerator,
        sum(case when first_z > -3.5e0 then denominator end) over before as usual_denominator,
        count(case when first_z > -3.5e0 then denominator end) over before as usual_days,
        avg(case when abs(first_z) <= 3.5e0 then first_z * first_z end) over before as scatter,
        {% for days in [2, 5] -%}
            {% for count in ["numerator", "denominator"] -%}
                sum({{ count }}) over (
                    partition by series_id, baseline_number order by day_number
                    range between {{ days - 1 }} preceding and current row
                ) as {{ count }}_{{ days }},
            {% endfor -%}
        {% endfor -%}
        numerator as numerator_1,
        denominator as denominator_1
    from deviations
    window before as (partition by series_id, baseline_number order by day_number {{ before }})
),

based as (
    select
        *,
        coalesce(usual_days, 0) >= 7 and coalesce(usual_denominator, 0) >= 50 as is_learned,
        greatest(coalesce(scatter, 1e0), 1e0) as dispersion
    from second_looks
),

usual as (
    select
        *,
        case
            when is_learned then {{ likely_share("usual_numerator", "usual_denominator") }}
            when family is not null and family_denominator >= 200
                then {{ likely_share("family_numerator", "family_denominator") }}
        end as usual_share,
        case when is_learned then usual_denominator else family_denominator end as base_count,
        -- limits that are borrowed are wider
        case when is_learned then 1e0 else 2e0 end as learning_factor,
        case
            when peers_denominator - week_denominator >= 50 and week_denominator >= 20 and metric = 'first_pass_yield'
                then {{ likely_share("peers_numerator - week_numerator", "peers_denominator - week_denominator") }}
        end as peers_share
    from based
),

final as (
    select
        series_id,
        entity_type,
        entity,
        metric,
        day_number,
        point_at_local,
        production_date,
        is_learned,
        base_count,
        usual_share,
        peers_share,
        numerator,
        denominator,
        week_numerator,
        week_denominator,
        {% for days in [1, 2, 5] -%}
            {{ binomial_z("numerator_" ~ days, "denominator_" ~ days, "usual_share") }}
            / (learning_factor * sqrt(dispersion * (1e0 + denominator_{{ days }} / base_count::double)))
                as z_{{ days }},
        {% endfor -%}
        {{ binomial_z("week_numerator", "week_denominator", "peers_share") }}
        / sqrt(dispersion * (1e0 + week_denominator / (peers_denominator - week_denominator)::double)) as z_peers,
        learning_factor * sqrt(
            dispersion * usual_share * (1e0 - usual_share) * (1e0 / denominator + 1e0 / base_count)
        ) as usual_deviation,
        sqrt(
            dispersion * peers_share * (1e0 - peers_share)
            * (1e0 / week_denominator + 1e0 / (peers_denominator - week_denominator))
        ) as peers_deviation
    from usual
)

select * from final
