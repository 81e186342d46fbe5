-- The tests that a product's modules have to pass. Where routes.csv does not name the product, they are the tests
-- that its modules take; such steps have no sequence here (route_step orders them).
with

routes as (
    select * from {{ ref("stg_ref_routes") }}
),

-- not the attempts themselves: those of closed weeks are gone
tests_taken as (
    select * from {{ ref("int_product_test_week") }}
),

on_file as (
    select
        product_name,
        test_name,
        min(sequence) as sequence,
        coalesce(max(max_attempts), {{ var("max_attempts") }}) as max_attempts,
        false as is_inferred
    from routes
    group by all
),

inferred as (
    select distinct
        product_name,
        test_name,
        null::bigint as sequence,
        {{ var("max_attempts") }}::bigint as max_attempts,
        true as is_inferred
    from tests_taken
    where
        load_qty > 0
        and product_name not in (select product_name from on_file)
),

final as (
    select * from on_file
    union all
    select * from inferred
)

select * from final
