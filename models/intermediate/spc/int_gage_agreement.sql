-- One row per study, test and kind of appraiser: how far pass and fail agree. Fleiss' kappa (1971, Psychological
-- Bulletin 76, 378-382) over all readings of a part, and within appraisers over their own trials; parts read once say
-- nothing.
with

readings as (
    select
        *,
        case when test_result = 'pass' then 1e0 else 0e0 end as is_pass
    from {{ ref("int_gage_reading") }}
    where parameter is null
),

parts as (
    select
        study_id,
        test_name,
        appraiser_kind,
        part,
        count(*)::double as n,
        sum(is_pass) as passes
    from readings
    group by study_id, test_name, appraiser_kind, part
),

cells as (
    select
        study_id,
        test_name,
        appraiser_kind,
        part,
        appraiser,
        count(*)::double as n,
        sum(is_pass) as passes
    from readings
    group by study_id, test_name, appraiser_kind, part, appraiser
),

{% for name, source, keys in [("agreed", "parts", ""), ("of_appraiser", "cells", ", appraiser")] -%}
    {{ name }} as (
        select
            study_id,
            test_name,
            appraiser_kind{{ keys }},
            count(*) as part_count,
            count_if(passes in (0e0, n))::bigint as agreed_count,
            -- of all pairs of readings of a part, the share that agrees
            avg(
                {{ ratio("passes * (passes - 1e0) + (n - passes) * (n - passes - 1e0)", "n * (n - 1e0)") }}
            ) as agreement,
            {{ ratio("sum(passes)", "sum(n)") }} as pass_share
        from {{ source }}
        where n > 1e0
        group by study_id, test_name, appraiser_kind{{ keys }}
    ),

{% endfor -%}
within as (
    select
        study_id,
        test_name,
        appraiser_kind,
        {{ ratio(
            "sum(part_count * (agreement - power(pass_share, 2) - power(1e0 - pass_share, 2)))",
            "sum(part_count * (1e0 - power(pass_share, 2) - power(1e0 - pass_share, 2)))"
        ) }} as kappa_within
    from of_appraiser
    group by study_id, test_name, appraiser_kind
),

studies as (
    select
        study_id,
        test_name,
        appraiser_kind,
        count(distinct part) as part_count,
        count(distinct appraiser) as appraiser_count,
        max(trial) as trial_count
    from readings
    group by study_id, test_name, appraiser_kind
),

final as (
    select
        study_id,
        test_name,
        appraiser_kind,
        studies.part_count,
        studies.appraiser_count,
        studies.trial_count,
        agreed.agreed_count,
        {{ ratio(
            "agreed.agreement - power(agreed.pass_share, 2) - power(1e0 - agreed.pass_share, 2)",
            "1e0 - power(agreed.pass_share, 2) - power(1e0 - agreed.pass_share, 2)"
        ) }} as kappa,
        within.kappa_within
    from studies
    left join agreed using (study_id, test_name, appraiser_kind)
    left join within using (study_id, test_name, appraiser_kind)
)

select * from final
