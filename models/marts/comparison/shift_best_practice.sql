with

comparisons as (
    select * from {{ ref("shift_comparison") }}
),

metrics as (
    select * from {{ ref("const_comparison_metric") }}
),

weeks as (
    select
        plant_name,
        count(distinct production_week_start) as week_count
    from {{ ref("int_comparison_cell") }}
    group by plant_name
),

-- staffing that can't be told from the shift is nothing that another shift could do alike
reliable as (
    select
        comparisons.*,
        weeks.week_count,
        metrics.sign * comparisons.within_part > 0 as is_a_better
    from comparisons
    inner join metrics on comparisons.metric = metrics.metric
    inner join weeks on comparisons.plant_name = weeks.plant_name
    where
        comparisons.comparison_kind in ('shift', 'crew')
        and comparisons.shift_phase = '(all)'
        and comparisons.is_significant
        and comparisons.staffing_status <> 'not_identifiable'
),

valued as (
    select
        plant_name,
        comparison_kind,
        line_id,
        metric,
        case when is_a_better then side_a else side_b end as better_side,
        case when is_a_better then side_b else side_a end as other_side,
        abs(within_part) as advantage,
        least(abs(lower_95), abs(upper_95)) as advantage_lower_95,
        case when is_a_better then common_denominator_b else common_denominator_a end
        / week_count as other_denominator_per_week,
        case
            when is_a_better then {{ ratio("common_unit_count_b", "common_numerator_b") }}
            else {{ ratio("common_unit_count_a", "common_numerator_a") }}
        end as units_per_numerator,
        adjusted_p_value
    from reliable
),

final as (
    select
        *,
        advantage_lower_95 * other_denominator_per_week * units_per_numerator as units_per_week
    from valued
)

select * from final
