-- Weeks in which modules may look different since the last green build: the touched weeks, and all weeks of a product
-- whose inferred route changed.
with

product_weeks as (
    select * from {{ ref("int_product_test_week") }} where {{ is_open("load_week_start") }}
),

final as (
    select week_start from {{ ref("int_touched_week") }}
    union
    select load_week_start as week_start
    from product_weeks
    where product_name in (select product_name from {{ ref("int_route_changed") }})
)

select * from final
