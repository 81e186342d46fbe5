-- Findings on modules, by load week and product; a serial number under two products by serial number alone.
{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_module_week') }}",
) }}

with

modules as (
    select *
    from {{ ref("module_status") }}
    where {{ in_touched_weeks("load_week_start", "int_touched_module_week", of_view=true) }}
),

known as (
    select *
    from {{ ref("int_module_known") }}
    {% if is_incremental() %}
        where serial_num in (select serial_num from modules)
    {% endif %}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

serials_of_two_products as (
    select serial_num
    from known
    group by serial_num
    having min(product_name) <> max(product_name)
),

of_shared_serials as (
    select * from known where serial_num in (select serial_num from serials_of_two_products)
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
