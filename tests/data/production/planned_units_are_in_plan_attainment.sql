-- Planned units were lost, or counted once per row that they met: plan_attainment does not hold the plan's total.
with

plans as (
    select sum(planned_quantity) as planned_quantity
    from (
        select distinct
            record_hash,
            planned_quantity
        from {{ ref("stg_production_plan") }}
    ) as records
),

attained as (
    select sum(planned_quantity) as planned_quantity from {{ ref("plan_attainment") }}
)

select *
from plans
cross join attained
where
    abs(coalesce(plans.planned_quantity, 0e0) - coalesce(attained.planned_quantity, 0e0))
    > 1e-9 * coalesce(plans.planned_quantity, 0e0)
