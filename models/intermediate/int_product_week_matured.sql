-- int_product_week with is_mature: a week becomes mature as time passes, without a record of its own. The clock is the
-- start of the last test loaded (in a record that was not ahead of its load), so that a rebuild gives the same marts.
{{ config(materialized="view") }}

with

product_weeks as (
    select * from {{ ref("int_product_week") }}
),

clock as (
    select max(max_event_at) as as_of
    from {{ ref("stg_load") }}
    where status = 'loaded' and table_name = 'test_record'
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

final as (
    select
        product_weeks.*,
        product_weeks.wip_qty = 0
        or coalesce(
            product_weeks.wip_last_touched_at < clock.as_of - plant.wip_stale_days * interval '1 day', false
        ) as is_mature
    from product_weeks
    cross join clock
    cross join plant
)

select * from final
