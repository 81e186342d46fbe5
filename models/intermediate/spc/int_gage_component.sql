-- One row per study, test, parameter, kind of appraiser and method: variances of repeatability, appraiser,
-- interaction and part. ANOVA: two-way with random effects, negative components 0, the interaction pooled with
-- repeatability at p > .25. Average and range: AIAG, Measurement Systems Analysis, 4th edition; K1 = 1/d2 of the
-- trials, K2 and K3 = 1/√(d2² + d3²) of appraisers and parts. Studies that are incomplete or too small have none.
with

squares as (
    select
        *,
        (part_count - 1) * (appraiser_count - 1) as interaction_degrees,
        part_count * appraiser_count * (trial_count - 1) as repeat_degrees
    from {{ ref("int_gage_square") }}
    where status in ('complete', 'truncated')
),

mean_squares as (
    select
        *,
        {{ ratio("part_squares", "part_count - 1") }} as part_ms,
        {{ ratio("appraiser_squares", "appraiser_count - 1") }} as appraiser_ms,
        {{ ratio("interaction_squares", "interaction_degrees") }} as interaction_ms,
        {{ ratio("repeat_squares", "repeat_degrees") }} as repeat_ms
    from squares
),

-- P(F > f) is the incomplete beta function at x with a and b; its series is short on the side of x that is chosen here
tested as (
    select
        *,
        {{ ratio("interaction_ms", "repeat_ms") }} as interaction_f,
        {{ ratio("repeat_squares", "repeat_squares + interaction_squares") }} as x,
        repeat_degrees / 2e0 as a,
        interaction_degrees / 2e0 as b
    from mean_squares
),

turned as (
    select
        *,
        x > (a + 1e0) / (a + b + 2e0) as is_turned,
        case when x > (a + 1e0) / (a + b + 2e0) then b else a end as c,
        case when x > (a + 1e0) / (a + b + 2e0) then a else b end as d,
        case when x > (a + 1e0) / (a + b + 2e0) then 1e0 - x else x end as y
    from tested
),

series as (
    select
        study_id,
        test_name,
        parameter,
        appraiser_kind,
        sum(exp(
            {{ ln_gamma("(turned.c + turned.d + numbers.number)") }} - {{ ln_gamma("(turned.c + turned.d)") }}
            + {{ ln_gamma("(turned.c + 1e0)") }} - {{ ln_gamma("(turned.c + 1e0 + numbers.number)") }}
            + numbers.number * ln(turned.y)
        )) * min(exp(
            turned.c * ln(turned.y) + turned.d * ln(1e0 - turned.y)
            + {{ ln_gamma("(turned.c + turned.d)") }} - {{ ln_gamma("turned.c") }} - {{ ln_gamma("turned.d") }}
        ) / turned.c) as beta
    from turned
    cross join {{ ref("const_number") }} as numbers
    where turned.y > 0e0 and turned.y < 1e0 and turned.c > 0e0 and turned.d > 0e0
    group by study_id, test_name, parameter, appraiser_kind
),

pooled as (
    select
        turned.*,
        case
            when turned.interaction_f = 0e0 then 1e0
            when turned.is_turned then 1e0 - series.beta
            else series.beta
        end as interaction_p
    from turned
    left join series using (study_id, test_name, parameter, appraiser_kind)
),

errors as (
    select
        *,
        appraiser_count > 1 and not coalesce(interaction_p > 0.25e0, false) as has_interaction,
        case
            when appraiser_count > 1 and interaction_p > 0.25e0
                then (repeat_squares + interaction_squares) / (repeat_degrees + interaction_degrees)
            else repeat_ms
        end as error_ms
    from pooled
),

constants as (
    select
        *,
        1e0 / d2 as k1,
        1e0 / sqrt(d2 * d2 + d3 * d3) as k2
    from {{ ref("const_chart_constant") }}
    where constants = 'exact'
),

factors as (
    select
        errors.*,
        case when errors.constants = 'rounded' then round(trials.k1, 4) else trials.k1 end as k1,
        case when errors.constants = 'rounded' then round(appraisers.k2, 4) else appraisers.k2 end as k2,
        case when errors.constants = 'rounded' then round(parts.k2, 4) else parts.k2 end as k3
    from errors
    left join constants as trials on errors.trial_count = trials.n
    left join constants as appraisers on errors.appraiser_count = appraisers.n
    left join constants as parts on errors.part_count = parts.n
),

final as (
    select
        study_id,
        test_name,
        parameter,
        appraiser_kind,
        'anova' as method,
        interaction_f,
        interaction_p,
        not has_interaction and appraiser_count > 1 as is_pooled,
        error_ms as repeatability_variance,
        coalesce(greatest(
            0e0,
            (appraiser_ms - case when has_interaction then interaction_ms else error_ms end)
            / (part_count * trial_count)
        ), 0e0) as appraiser_variance,
        case when has_interaction then greatest(0e0, (interaction_ms - repeat_ms) / trial_count) else 0e0 end
            as interaction_variance,
        greatest(
            0e0,
            (part_ms - case when has_interaction then interaction_ms else error_ms end)
            / (appraiser_count * trial_count)
        ) as part_variance
    from factors
    union all
    select
        study_id,
        test_name,
        parameter,
        appraiser_kind,
        'average and range' as method,
        null::double as interaction_f,
        null::double as interaction_p,
        null::boolean as is_pooled,
        power(mean_range * k1, 2) as repeatability_variance,
        case
            when appraiser_count = 1 then 0e0
            else greatest(
                0e0, power(appraiser_range * k2, 2) - power(mean_range * k1, 2) / (part_count * trial_count)
            )
        end as appraiser_variance,
        0e0 as interaction_variance,
        power(part_range * k3, 2) as part_variance
    from factors
)

select * from final
