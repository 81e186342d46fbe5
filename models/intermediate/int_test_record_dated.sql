-- Test records with the production day and week in which they started.
{{ config(materialized="view") }}

with

records as (
    select * from {{ ref("stg_test_record") }}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

dated as (
    select
        records.*,
        plant.serial_reuse_days,
        {{ production_date("records.test_timestamp_local") }} as production_date,
        date_trunc('week', {{ production_date("records.test_timestamp_local") }})::date as production_week_start
    from records
    cross join plant
)

select * from dated
