with

routes as (
    select * from {{ ref("int_route") }}
),

attempts as (
    select * from {{ ref("test_attempt") }} where run_number = 1
),

-- tests of an inferred route in the order in which modules first take them
places as (
    select
        product_name,
        test_name,
        avg(attempt_number) as mean_attempt_number
    from attempts
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
