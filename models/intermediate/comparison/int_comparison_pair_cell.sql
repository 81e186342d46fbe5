-- One row per pair of sides that are compared and cell (product, machine, staffing) that either of them ran: the parts
-- of the metric on both sides, a and b. Where the sides' staffing differs but never varies within one of them, nobody
-- can tell it from the shift itself: it is not_identifiable, and left out of the cells.
{% set scope = "plant_name, comparison_kind, line_id, shift_phase, metric" %}

with

cells as (
    select
        {{ scope }},
        side,
        product_name,
        machine_id,
        staffing,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(unit_count) as unit_count
    from {{ ref("int_comparison_cell") }}
    group by all
),

sides as (
    select distinct
        {{ scope }},
        side
    from cells
),

pairs as (
    select
        {{ scope }},
        sides.side as side_a,
        others.side as side_b
    from sides
    inner join sides as others using ({{ scope }})
    where sides.side < others.side
),

pair_sides as (
    select
        *,
        side_a as side,
        true as is_a
    from pairs
    union all
    select
        *,
        side_b as side,
        false as is_a
    from pairs
),

staffing_of_machines as (
    select
        {{ scope }},
        side_a,
        side_b,
        machine_id,
        is_a,
        min(staffing) as least,
        max(staffing) as most
    from pair_sides
    inner join cells using ({{ scope }}, side)
    group by all
),

staffing_differences as (
    select
        {{ scope }},
        side_a,
        side_b,
        bool_or(least <> most) as varies,
        min(least) as least,
        max(most) as most,
        min(least) <> max(most) as differs
    from staffing_of_machines
    group by {{ scope }}, side_a, side_b, machine_id
),

staffing_statuses as (
    select
        {{ scope }},
        side_a,
        side_b,
        case
            when min(least) = '(unknown)' and max(most) = '(unknown)' then 'not_recorded'
            when not bool_or(differs) then 'equal'
            when not bool_or(varies) then 'not_identifiable'
            else 'identified'
        end as staffing_status
    from staffing_differences
    group by all
),

final as (
    select
        {{ scope }},
        side_a,
        side_b,
        staffing_status,
        product_name,
        machine_id,
        case when staffing_status = 'not_identifiable' then '(any)' else staffing end as staffing,
    {% for side, condition in [("a", "is_a"), ("b", "not is_a")] -%}
        sum(case when {{ condition }} then numerator else 0e0 end) as numerator_{{ side }},
        sum(case when {{ condition }} then denominator else 0e0 end) as denominator_{{ side }},
        sum(case when {{ condition }} then unit_count else 0e0 end) as unit_count_{{ side }}
        {{- "," if not loop.last }}
    {% endfor %}
    from pair_sides
    inner join staffing_statuses using ({{ scope }}, side_a, side_b)
    inner join cells using ({{ scope }}, side)
    group by all
)

select * from final
