-- Findings on single records, by load week, product and test.
{{ config(materialized="view") }}

with

records as (
    select * from {{ ref("int_product_test_week") }}
),

findings as (
    {{ record_finding("duplicate_record", "info", "duplicate_qty", "duplicate_example") }}
    union all
    {{ record_finding("conflicting_record", "warning", "conflict_qty", "conflict_example") }}
    union all
    {{ record_finding("repeated_hour", "info", "repeated_hour_qty", "repeated_hour_example") }}
    union all
    {{ record_finding("missing_hour", "warning", "missing_hour_qty", "missing_hour_example") }}
    union all
    {{ record_finding("future_timestamp", "warning", "future_qty", "future_example") }}
    union all
    {{ record_finding("unknown_run_purpose", "warning", "unknown_purpose_qty", "unknown_purpose_example") }}
)

select * from findings
