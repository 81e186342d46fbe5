-- Names in records that the reference data does not know. A reference table that a plant has not filled knows them all.
{{ config(materialized="view") }}

with

stations as (
    select
        machine_id,
        product_name,
        test_name,
        sum(attempt_count + error_count + abort_count)::bigint as production_count,
        sum(attempt_count + error_count + abort_count + other_purpose_count)::bigint as attempt_count
    from {{ ref("station_day") }}
    group by all
),

products as (
    select * from {{ ref("stg_ref_products") }}
),

tests as (
    select * from {{ ref("stg_ref_tests") }}
),

machines as (
    select * from {{ ref("stg_ref_machines") }}
),

routes as (
    select * from {{ ref("int_route") }}
),

findings as (
    {{ name_finding(
        "unknown_product", "warning", ["product_name"],
        "product_name not in (select product_name from products) and exists (select 1 from products)"
    ) }}
    union all
    {{ name_finding(
        "unknown_test", "warning", ["test_name"],
        "test_name not in (select test_name from tests) and exists (select 1 from tests)"
    ) }}
    union all
    {{ name_finding(
        "unknown_machine", "warning", ["machine_id"],
        "machine_id not in (select machine_id from machines) and exists (select 1 from machines)"
    ) }}
    union all
    {{ name_finding(
        "inferred_route", "info", ["product_name"],
        "product_name in (select product_name from routes where is_inferred)"
    ) }}
    union all
    {{ name_finding(
        "test_off_route", "warning", ["product_name", "test_name"],
        "production_count > 0 and " ~ route_key("product_name", "test_name") ~ " not in (select "
        ~ route_key("product_name", "test_name") ~ " from routes)"
    ) }}
)

select * from findings
