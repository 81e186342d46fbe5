-- One row per pair of sides with common cells: the difference within cells, and how far chance alone may have brought
-- it.
--
-- With a = W d / D (W: mean of the sides' shares of a cell; d, D: denominator of one occurrence, of all) the difference
-- is a weighted sum of occurrences, sum of a r on side a less that on side b. Its variance is the sum over dates of the
-- squared sums of a (r - expected): occurrences of one date share its ups and downs, so it is dates that are
-- independent. `expected` is fitted with a level for each cell and one effect for all cells, level + effect x scale: so
-- a cell that a side ran once has a deviation, too. (Fitted to both sides of each cell it would have none, and
-- intervals cover 88 %.) The effect is the one-step estimate of Peto and of Mantel and Haenszel: with scale r (1 - r)
-- for shares, r for rates it is one of odds or of proportion; variances are taken as scale / d. By that model each
-- date's square is corrected for what the fit has taken of it (CR2: Bell and McCaffrey 2002, Survey Methodology 28,
-- 169-181), and degrees of freedom are Satterthwaite's, less one in as many as there are dates.
{% set scope = "plant_name, comparison_kind, line_id, shift_phase, metric" %}
{% set pair = scope ~ ", side_a, side_b" %}
{% set cell = "product_name, machine_id, staffing" %}

with

metrics as (
    select * from {{ ref("const_comparison_metric") }}
),

common_cells as (
    select
        *,
        denominator_a + denominator_b as denominator,
        (numerator_a + numerator_b) / (denominator_a + denominator_b) as level,
        denominator_a * denominator_b / (denominator_a + denominator_b) as information,
        numerator_a / denominator_a - numerator_b / denominator_b as difference
    from {{ ref("int_comparison_pair_cell") }}
    where denominator_a > 0 and denominator_b > 0
),

cells_weighted as (
    select
        {{ pair }},
        {{ cell }},
        denominator_a,
        denominator_b,
        denominator as cell_denominator,
        level,
        information,
        difference,
        (denominator_a / sum(denominator_a) over pair + denominator_b / sum(denominator_b) over pair) / 2 as weight,
        case when is_share and level between 0 and 1 then level * (1 - level) else abs(level) end as scale
    from common_cells
    inner join metrics using (metric)
    window pair as (partition by {{ pair }})
),

cells_fitted as (
    select
        *,
        coalesce(sum(difference * information) over pair / nullif(sum(scale * information) over pair, 0e0), 0e0)
            as effect,
        sum(scale * information) over pair as effect_information
    from cells_weighted
    window pair as (partition by {{ pair }})
),

differences as (
    select
        {{ pair }},
        sum(weight * difference) as within_part
    from cells_fitted
    group by all
),

-- sensitivity: by how much the difference rises with this occurrence's value; lean: how much of the effect is expected
-- in it
occurrences as (
    select
        {{ pair }},
        {{ cell }},
        side = side_a as is_a,
        shift_date,
        occurrence,
        scale,
        cell_denominator,
        effect_information,
        denominator as occurrence_denominator,
        case when is_a then denominator_b else -denominator_a end / cell_denominator as lean,
        case when is_a then weight / denominator_a else -weight / denominator_b end * denominator as sensitivity,
        numerator / denominator - level - effect * scale * lean as deviation
    from (
        select
            {{ scope }},
            product_name,
            machine_id,
            staffing as occurrence_staffing,
            side,
            shift_date,
            occurrence,
            numerator,
            denominator
        from {{ ref("int_comparison_cell") }}
        where denominator > 0
    ) as runs
    inner join cells_fitted using ({{ scope }}, product_name, machine_id)
    where side in (side_a, side_b) and staffing in (occurrence_staffing, '(any)')
),

counts as (
    select
        {{ pair }},
        count(distinct case when is_a then occurrence end) as occurrence_count_a,
        count(distinct case when not is_a then occurrence end) as occurrence_count_b
    from occurrences
    group by all
),

cell_dates as (
    select
        {{ pair }},
        shift_date,
        effect_information,
        sum(sensitivity * deviation) as deviation,
        sum(scale * sensitivity * sensitivity / occurrence_denominator) as variance,
        sum(scale * sensitivity * lean) as effect_share,
        scale * sum(sensitivity) * sum(sensitivity) / cell_denominator as variance_fitted
    from occurrences
    group by {{ pair }}, {{ cell }}, shift_date, effect_information, scale, cell_denominator
),

dates as (
    select
        {{ pair }},
        shift_date,
        sum(deviation) as deviation,
        sum(variance) as variance,
        sum(variance_fitted)
        + coalesce(sum(effect_share) * sum(effect_share) / nullif(effect_information, 0e0), 0e0) as variance_fitted
    from cell_dates
    group by {{ pair }}, shift_date, effect_information
),

spreads as (
    select
        {{ pair }},
        count(*) as date_count,
        sqrt(sum(
            deviation * deviation * coalesce(
                variance / nullif(greatest(variance - variance_fitted, variance / 100), 0e0), 1e0
            )
        )) as standard_error,
        greatest(
            2e0, sum(variance) * sum(variance) / nullif(sum(variance * variance), 0e0) * (1 - 1e0 / count(*))
        ) as degrees_of_freedom
    from dates
    group by all
),

final as (
    select
        {{ pair }},
        within_part,
        occurrence_count_a,
        occurrence_count_b,
        date_count,
        standard_error,
        degrees_of_freedom
    from differences
    inner join counts using ({{ pair }})
    inner join spreads using ({{ pair }})
)

select * from final
