with

routes as (
    select * from {{ ref("int_route") }}
),

tests_taken as (
    select * from {{ ref("int_product_test_week") }} where load_qty > 0
),

-- tests of an inferred route in the order in which modules first take them
places as (
    select
        product_name,
        test_name,
        {{ ratio("sum(first_attempt_number_sum)", "sum(load_qty)") }} as mean_attempt_number
    from tests_taken
    group by all
),

final as (
    select
        routes.product_name,
        routes.test_name,
        (row_number() over (
            partition by routes.product_name
            order by routes.sequence asc nulls last, places.mean_attempt_number asc nulls last, routes.test_name asc
        ))::bigint as sequence,
        routes.max_attempts,
        routes.is_inferred
    from routes
    left join places
        on routes.product_name = places.product_name
        and routes.test_name = places.test_name
)

select * from final
