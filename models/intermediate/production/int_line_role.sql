-- One row per line, production date, product and machine of the line: whether the machine is the constraint of the
-- product that day, and whether it is the last of the line. Readers say which weeks they want.
{{ config(materialized="view") }}

with

products as (
    select distinct
        production_week_start,
        production_date,
        line_id,
        product_name
    from {{ ref("int_machine_time") }}
    where line_id <> ''
),

constraints as (
    select * from {{ ref("stg_ref_line_constraints") }}
),

constraints_ranked as (
    select
        products.production_week_start,
        products.production_date,
        products.line_id,
        products.product_name,
        constraints.machine_id,
        row_number() over (
            partition by
                products.production_week_start, products.production_date, products.line_id, products.product_name
            order by
                case when constraints.product_name is null then 1 else 0 end asc,
                constraints.valid_from desc nulls last,
                constraints.line_number asc
        ) as constraint_rank
    from products
    inner join constraints
        on products.line_id = constraints.line_id
        and products.product_name = coalesce(constraints.product_name, products.product_name)
        and products.production_date >= coalesce(constraints.valid_from, products.production_date)
),

final as (
    select
        products.production_week_start,
        products.production_date,
        products.line_id,
        products.product_name,
        machines.machine_id,
        machines.is_last,
        coalesce(named.machine_id = machines.machine_id, machines.is_constraint) as is_constraint
    from products
    inner join {{ ref("int_line_machine") }} as machines on products.line_id = machines.line_id
    left join constraints_ranked as named
        on products.production_week_start = named.production_week_start
        and products.production_date = named.production_date
        and products.line_id = named.line_id
        and products.product_name = named.product_name
        and named.constraint_rank = 1
)

select * from final
