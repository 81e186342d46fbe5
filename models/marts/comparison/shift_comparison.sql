{% set scope = "plant_name, comparison_kind, line_id, shift_phase, metric" %}
{% set pair = scope ~ ", side_a, side_b" %}
{% set factors = ["product", "machine", "staffing"] %}

with

cells as (
    select
        *,
        denominator_a > 0 and denominator_b > 0 as is_common
    from {{ ref("int_comparison_pair_cell") }}
),

subsets as (
    select * from {{ ref("const_mix_order") }}
),

within_cells as (
    select * from {{ ref("int_comparison_within") }}
),

totals as (
    select
        {{ pair }},
        staffing_status,
        {% for side in ["a", "b"] -%}
            sum(numerator_{{ side }}) as numerator_{{ side }},
            sum(denominator_{{ side }}) as denominator_{{ side }},
            {{ ratio("sum(numerator_" ~ side ~ ")", "sum(denominator_" ~ side ~ ")") }} as value_{{ side }},
            sum(case when is_common then numerator_{{ side }} else 0e0 end) as common_numerator_{{ side }},
            sum(case when is_common then denominator_{{ side }} else 0e0 end) as common_denominator_{{ side }},
            sum(case when is_common then unit_count_{{ side }} else 0e0 end) as common_unit_count_{{ side }},
        {% endfor -%}
        count_if(is_common)::bigint as common_cell_count
    from cells
    group by all
),

-- what is common, by the cells of some of the factors only: both sides' values meet in fewer, larger cells
coarse_cells as (
    select
        {{ pair }},
        by_product,
        by_machine,
        by_staffing,
        {% for factor in factors -%}
            {{ factor }}_weight,
        {% endfor -%}
        sum(denominator_a) as denominator_a,
        sum(denominator_b) as denominator_b,
        sum(numerator_a) / sum(denominator_a) + sum(numerator_b) / sum(denominator_b) as value_sum
    from cells
    cross join subsets
    where is_common
    group by
        {{ pair }}, by_product, by_machine, by_staffing, product_weight, machine_weight, staffing_weight,
        case when by_product then product_name end,
        case when by_machine then machine_id end,
        case when by_staffing then staffing end
),

mix_parts as (
    select
        {{ pair }},
    {% for factor in factors -%}
        sum({{ factor }}_weight * (
            coarse_cells.denominator_a / common_denominator_a - coarse_cells.denominator_b / common_denominator_b
            ) * value_sum / 2) as {{ factor }}_mix_part
        {{- "," if not loop.last }}
    {% endfor %}
    from coarse_cells
    inner join totals using ({{ pair }})
    group by all
),

compared as (
    select
        *,
        value_a - value_b as crude_difference,
        crude_difference - coalesce(
            common_numerator_a / nullif(common_denominator_a, 0e0)
            - common_numerator_b / nullif(common_denominator_b, 0e0), 0e0
        ) as not_comparable_part,
        case
            when common_cell_count = 0 then 'not_comparable'
            when least(occurrence_count_a, occurrence_count_b) < {{ var("comparison_min_occurrences") }}
                then 'insufficient_data'
            else 'compared'
        end as status
    from totals
    left join mix_parts using ({{ pair }})
    left join within_cells using ({{ pair }})
),

judged as (
    select
        *,
        case when status = 'compared' then within_part end as tested_part,
        case
            when standard_error > 0 then {{ t_quantile("degrees_of_freedom") }} * standard_error else standard_error
        end as half_width,
        {{ t_as_normal("(within_part / nullif(standard_error, 0e0))", "degrees_of_freedom") }} as z,
        case
            when abs(tested_part) <= 1e-12 then 1e0
            when tested_part is not null then coalesce({{ two_sided_p_value("z") }}, 0e0)
        end as p_value
    from compared
),

-- Benjamini and Hochberg (1995): of the differences of one metric that are called significant, 5 % are expected not to
-- be
adjusted as (
    select
        *,
        row_number() over (partition by plant_name, metric order by p_value nulls last, {{ pair }}) as p_rank,
        count(p_value) over (partition by plant_name, metric) as p_count
    from judged
),

final as (
    select
        -- keys
        {{ pair }},

        -- both sides
        value_a,
        value_b,
        numerator_a,
        denominator_a,
        numerator_b,
        denominator_b,

        -- the difference and its parts; less than 1e-12 of the values is what summing them leaves, and means nothing
        {% for part in ["crude_difference", "product_mix_part", "machine_mix_part", "staffing_mix_part", "within_part",
            "not_comparable_part"] -%}
            case
                {% if part == "staffing_mix_part" -%}
                    when staffing_status = 'not_identifiable' then null
                {% endif -%}
                when abs({{ part }}) <= 1e-12 * greatest(abs(value_a), abs(value_b)) then 0e0 else {{ part }}
            end as {{ part }},
        {% endfor %}
        -- what the part within cells rests on
        common_cell_count,
        {% for side in ["a", "b"] -%}
            common_numerator_{{ side }},
            common_denominator_{{ side }},
            common_unit_count_{{ side }},
            coalesce(occurrence_count_{{ side }}, 0) as occurrence_count_{{ side }},
        {% endfor -%}
        coalesce(date_count, 0) as date_count,
        case when tested_part is not null then standard_error end as standard_error,
        case when tested_part is not null then degrees_of_freedom end as degrees_of_freedom,
        tested_part - half_width as lower_95,
        tested_part + half_width as upper_95,

        -- verdict
        p_value,
        case when p_value is not null then least(1e0, min(p_value * p_count / p_rank) over (
            partition by plant_name, metric order by p_rank desc
            rows between unbounded preceding and current row
        )) end as adjusted_p_value,
        coalesce(adjusted_p_value <= 0.05e0, false) as is_significant,
        status,
        staffing_status
    from adjusted
)

select * from final
