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
        (
            records.test_timestamp_local - plant.production_day_start_minutes * interval '1 minute'
        )::date as production_date,
        date_trunc('week', (
            records.test_timestamp_local - plant.production_day_start_minutes * interval '1 minute'
        ))::date as production_week_start
    from records
    cross join plant
)

select * from dated
