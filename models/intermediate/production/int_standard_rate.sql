-- Standard rates, one row per line of standard_rates.csv. Of the lines that hold for a product, machine and date the
-- one with the highest specificity counts, then the latest valid_from, then the first.
{{ config(materialized="view") }}

with

final as (
    select
        nullif(product_name, '') as product_name,
        nullif(machine_id, '') as machine_id,
        valid_from,
        valid_to,
        rate_per_h,
        line_number,
        (product_name is not null)::int + (machine_id is not null)::int as specificity
    from {{ ref("stg_ref_standard_rates") }}
)

select * from final
