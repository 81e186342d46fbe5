-- Every module there was, with its life: those of open weeks, and what is remembered of the closed ones.
{{ config(materialized="view") }}

with

open_modules as (
    select
        serial_num,
        product_name,
        life_number,
        first_tested_at,
        last_tested_at
    from {{ ref("int_module_progressed") }}
),

closed_modules as (
    select
        serial_num,
        product_name,
        life_number,
        first_tested_at,
        last_tested_at
    from {{ source("ops", "closed_module") }}
)

select * from open_modules
union all
select * from closed_modules
