-- The values that capability is judged by: those of modules' first production runs, pass or fail, in the last
-- production weeks that have measurements.
{{ config(materialized="view") }}

with

weeks as (
    select max(production_week_start) as last_week from {{ ref("int_measured_week") }}
),

targets as (
    select
        product_name,
        test_name,
        parameter,
        target
    from {{ ref("int_control_chart") }}
    where is_of_values and target is not null
),

measured as (
    select *
    from {{ ref("int_measured_value") }}
    where
        run_number = 1
        and production_week_start
        > (select last_week - {{ var("capability_weeks") * 7 }} * interval '1 day' from weeks)
),

final as (
    select
        measured.product_name,
        measured.test_name,
        measured.parameter,
        measured.unit,
        measured.test_timestamp,
        measured.production_date,
        measured.value,
        measured.lower_limit,
        measured.upper_limit,
        (
            select max(targets.target) from targets
            where
                (targets.product_name is null or targets.product_name = measured.product_name)
                and (targets.test_name is null or targets.test_name = measured.test_name)
                and (targets.parameter is null or targets.parameter = measured.parameter)
        ) as target
    from measured
)

select * from final
