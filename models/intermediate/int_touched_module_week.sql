-- Weeks in which modules may look different since the last green build: the touched weeks, and all weeks of a product
-- whose inferred route changed, because a test is new to it or its only runs there were superseded.
with

product_weeks as (
    select * from {{ ref("int_product_test_week") }} where {{ is_open("load_week_start") }}
),

ledger as (
    select key as route_key from {{ source("ops", "ledger") }} where kind = 'route'
),

routes as (
    select
        product_name,
        {{ route_key("product_name", "test_name") }} as route_key
    from {{ ref("int_route") }}
    where is_inferred
),

changed_routes as (
    select product_name from routes where route_key not in (select route_key from ledger)
    union
    select split_part(route_key, chr(31), 1) as product_name
    from ledger
    where route_key not in (select route_key from routes)
),

final as (
    select week_start from {{ ref("int_touched_week") }}
    union
    select load_week_start as week_start
    from product_weeks
    where product_name in (select product_name from changed_routes)
)

select * from final
