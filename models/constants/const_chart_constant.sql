-- Constants of control charts for subgroups of n values from a normal distribution: d2 and d3 are mean and standard
-- deviation of the range (by integral), c4 is the mean of the standard deviation (by the gamma function), each in
-- units of σ; tests/python/models/spc computes them anew. The limit factors follow from them: A2 = 3/(d2 √n), A3 =
-- 3/(c4 √n), D3, D4 = 1 ∓ 3 d3/d2, B3, B4 = 1 ∓ 3 √(1-c4²)/c4, none below 0. `constants` is 'exact', or 'rounded' as
-- tables print them: three decimals, four for c4.
{{ config(materialized="view") }}

with

computed as (
    select
        constants.n::bigint as n,
        constants.d2,
        constants.d3,
        constants.c4,
        3e0 / (constants.d2 * sqrt(constants.n)) as a2_factor,
        3e0 / (constants.c4 * sqrt(constants.n)) as a3_factor,
        greatest(0e0, 1e0 - 3e0 * constants.d3 / constants.d2) as d3_factor,
        1e0 + 3e0 * constants.d3 / constants.d2 as d4_factor,
        greatest(0e0, 1e0 - 3e0 * sqrt(1e0 - constants.c4 * constants.c4) / constants.c4) as b3_factor,
        1e0 + 3e0 * sqrt(1e0 - constants.c4 * constants.c4) / constants.c4 as b4_factor
    from (
        values
        (2, 1.12837916709551e0, 0.852502466427422e0, 0.797884560802865e0),
        (3, 1.69256875064327e0, 0.888368004045204e0, 0.886226925452758e0),
        (4, 2.05875074600793e0, 0.879808202824983e0, 0.921317731923561e0),
        (5, 2.32592894728104e0, 0.864081941099504e0, 0.939985602986625e0),
        (6, 2.53441272122294e0, 0.848039686117495e0, 0.951532861948145e0),
        (7, 2.70435675121381e0, 0.833205335622294e0, 0.959368788699833e0),
        (8, 2.84720061209056e0, 0.819831489791944e0, 0.965030456147372e0),
        (9, 2.97002632441847e0, 0.807834274553322e0, 0.969310699713954e0),
        (10, 3.07750546167035e0, 0.797050673519411e0, 0.972659274121588e0),
        (11, 3.172872703816e0, 0.787314620550328e0, 0.975350077145229e0),
        (12, 3.25845527974383e0, 0.778478341203384e0, 0.977559351854772e0),
        (13, 3.33598035409825e0, 0.770416202063755e0, 0.979405604314218e0),
        (14, 3.40676310819995e0, 0.76302309562479e0, 0.980971436755516e0),
        (15, 3.47182688988207e0, 0.756211429727944e0, 0.982316177162651e0),
        (16, 3.53198278610958e0, 0.749908089409916e0, 0.983483531615841e0),
        (17, 3.58788396176538e0, 0.744051783960731e0, 0.984506405471832e0),
        (18, 3.64006375793744e0, 0.738590853378178e0, 0.985410043808079e0),
        (19, 3.68896302320765e0, 0.733481495518868e0, 0.986214136860194e0),
        (20, 3.73495011959664e0, 0.728686345707305e0, 0.986934267524655e0),
        (21, 3.77833582984262e0, 0.724173340717499e0, 0.987582928826156e0),
        (22, 3.81938464336283e0, 0.719914808434223e0, 0.988170253315831e0),
        (23, 3.85832342328501e0, 0.715886735491814e0, 0.988704545233999e0),
        (24, 3.89534814845136e0, 0.712068175147937e0, 0.989192674958505e0),
        (25, 3.93062921950711e0, 0.708440765888655e0, 0.989640375585703e0)
    ) as constants (n, d2, d3, c4)
),

final as (
    select
        'exact' as constants,
        computed.*
    from computed
    union all
    select
        'rounded' as constants,
        n,
        round(d2, 3) as d2,
        round(d3, 3) as d3,
        round(c4, 4) as c4,
    {% for factor in ["a2", "a3", "d3", "d4", "b3", "b4"] -%}
        round({{ factor }}_factor, 3) as {{ factor }}_factor{{ "," if not loop.last }}
    {% endfor -%}
    from computed
)

select * from final
