-- Findings on modules, by load week and product; a serial number under two products by serial number alone.
{{ config(materialized="view") }}

with

modules as (
    select * from {{ ref("module_status") }}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

serials_of_two_products as (
    select serial_num
    from modules
    group by serial_num
    having min(product_name) <> max(product_name)
),

of_shared_serials as (
    select * from modules where serial_num in (select serial_num from serials_of_two_products)
),

-- a serial number may go to another product when its life is over
shared_serials as (
    select distinct modules.serial_num
    from of_shared_serials as modules
    cross join plant
    inner join of_shared_serials as others
        on modules.serial_num = others.serial_num
        and modules.product_name <> others.product_name
        and {{ within_life("others.first_tested_at") }}
),

findings as (
    {{ module_finding("reopened_after_scrap", "warning", "is_reopened") }}
    union all
    {{ module_finding("route_escape", "warning", "is_route_escape") }}
    union all
    {{ module_finding(
        "serial_under_two_products", "warning", "serial_num in (select serial_num from shared_serials)"
    ) }}
)

select * from findings
