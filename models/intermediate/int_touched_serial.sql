-- Serial numbers whose modules may look different since the last green build.
with

records as (
    select * from {{ ref("stg_test_record") }}
),

ledger as (
    select * from {{ source("ops", "ledger") }} where kind = 'route'
),

-- a test that nobody of the product took before makes the inferred route of all its modules longer
longer_routes as (
    select distinct product_name
    from {{ ref("int_route") }}
    where is_inferred and concat(product_name, chr(31), test_name) not in (select key from ledger)
),

final as (
    select serial_num from records where is_new
    union
    select serial_num from records where product_name in (select product_name from longer_routes)
    union
    select serial_num from {{ ref("stg_rework") }} where is_new
    union
    select serial_num from {{ ref("stg_disposition") }} where is_new
)

select * from final
