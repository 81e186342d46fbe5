-- Products whose inferred route changed since the last green build, because a test is new to it or its only runs there
-- were superseded.
with

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

final as (
    select product_name from routes where route_key not in (select route_key from ledger)
    union
    select split_part(route_key, chr(31), 1) as product_name
    from ledger
    where route_key not in (select route_key from routes)
)

select * from final
