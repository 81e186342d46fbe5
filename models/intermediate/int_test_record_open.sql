-- Test records that can still change a mart: those of open weeks. What came too late for a closed one is a finding.
{{ config(materialized="view") }}

with

records as (
    select * from {{ ref("int_test_record_dated") }}
)

select * from records where {{ is_open("production_week_start") }}
