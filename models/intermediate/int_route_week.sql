-- The tests on a product's route, by load week: closed weeks keep the route by which they were counted.
{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_module_week') }}",
) }}

with

product_weeks as (
    select distinct
        load_week_start,
        product_name
    from {{ ref("int_product_week") }}
    where {{ in_touched_weeks("load_week_start", "int_touched_module_week") }}
),

routes as (
    select distinct
        product_name,
        test_name
    from {{ ref("int_route") }}
),

final as (
    select
        product_weeks.load_week_start,
        routes.product_name,
        routes.test_name
    from product_weeks
    inner join routes on product_weeks.product_name = routes.product_name
)

select * from final
