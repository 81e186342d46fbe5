with

squares as (
    select * from {{ ref("int_gage_square") }}
),

components as (
    select
        *,
        appraiser_variance + interaction_variance as reproducibility_variance,
        repeatability_variance + appraiser_variance + interaction_variance as gage_variance
    from {{ ref("int_gage_component") }}
),

agreement as (
    select * from {{ ref("int_gage_agreement") }}
),

measured as (
    select
        squares.study_id,
        squares.test_name,
        squares.parameter,
        squares.appraiser_kind,
        coalesce(components.method, 'none') as method,
        squares.status,
        squares.part_count,
        squares.appraiser_count,
        squares.trial_count,
        squares.upper_limit - squares.lower_limit as tolerance,
        sqrt(components.repeatability_variance) as repeatability_sigma,
        sqrt(components.reproducibility_variance) as reproducibility_sigma,
        sqrt(components.interaction_variance) as interaction_sigma,
        sqrt(components.gage_variance) as gage_sigma,
        sqrt(components.part_variance) as part_sigma,
        sqrt(components.gage_variance + components.part_variance) as total_sigma,
        components.interaction_f,
        components.interaction_p,
        components.is_pooled
    from squares
    left join components using (study_id, test_name, parameter, appraiser_kind)
),

final as (
    select
        study_id,
        test_name,
        parameter,
        appraiser_kind,
        method,
        status,
        part_count,
        appraiser_count,
        trial_count,
        tolerance,
        repeatability_sigma,
        reproducibility_sigma,
        interaction_sigma,
        gage_sigma,
        part_sigma,
        total_sigma,
        {{ ratio("gage_sigma", "total_sigma") }} as gage_of_total,
        {{ ratio("6e0 * gage_sigma", "tolerance") }} as gage_of_tolerance,
        case when gage_sigma > 0e0 then greatest(1, floor(1.41e0 * part_sigma / gage_sigma))::bigint end
            as distinct_categories,
        interaction_f,
        interaction_p,
        is_pooled,
        null::bigint as agreed_part_count,
        null::double as kappa,
        null::double as kappa_within
    from measured
    union all
    select
        study_id,
        test_name,
        '(result)' as parameter,
        appraiser_kind,
        'kappa' as method,
        case when kappa is null then 'no_variation' else 'complete' end as status,
        part_count,
        appraiser_count,
        trial_count,
        {% for column in [
            "tolerance", "repeatability_sigma", "reproducibility_sigma", "interaction_sigma", "gage_sigma",
            "part_sigma", "total_sigma", "gage_of_total", "gage_of_tolerance",
        ] -%}
            null::double as {{ column }},
        {% endfor -%}
        null::bigint as distinct_categories,
        null::double as interaction_f,
        null::double as interaction_p,
        null::boolean as is_pooled,
        agreed_count as agreed_part_count,
        kappa,
        kappa_within
    from agreement
)

select * from final
