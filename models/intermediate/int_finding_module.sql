-- Findings on modules, by load week and product; a serial number under two products by serial number alone.
{{ config(materialized="view") }}

with

modules as (
    select * from {{ ref("module_status") }}
),

serials_shared as (
    select serial_num
    from modules
    group by serial_num
    having min(product_name) <> max(product_name)
),

findings as (
    {{ module_finding("reopened_after_scrap", "warning", "is_reopened") }}
    union all
    {{ module_finding("route_escape", "warning", "is_route_escape") }}
    union all
    {{ module_finding(
        "serial_under_two_products", "warning", "serial_num in (select serial_num from serials_shared)"
    ) }}
)

select * from findings
