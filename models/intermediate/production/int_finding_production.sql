-- Findings on machines' records, by production week and machine, and on reference data that does not fit.
{{ config(materialized="view") }}

with

weeks as (
    select * from {{ ref("int_finding_machine_week") }}
),

buckets as (
    select bucket from {{ ref("int_time_bucket") }}
),

own_buckets as (
    select
        'ref_machine_states' as table_name,
        bucket
    from {{ ref("stg_ref_machine_states") }}
    union all
    select
        'ref_downtime_reasons' as table_name,
        bucket
    from {{ ref("stg_ref_downtime_reasons") }}
    where bucket is not null
),

findings as (
    select
        finding,
        severity,
        table_name,
        {{ week_label("production_week_start") }} as load_week,
        machine_id,
        detail,
        finding_count,
        example
    from weeks
    union all
    -- a state that means a bucket that nobody knows means nothing
    select
        'unknown_bucket' as finding,
        'warning' as severity,
        table_name,
        null::string as load_week,
        null::string as machine_id,
        null::string as detail,
        count(*) as finding_count,
        bucket as example
    from own_buckets
    where lower(trim(bucket)) not in (select bucket from buckets)
    group by table_name, bucket
),

final as (
    select
        finding,
        severity,
        table_name,
        load_week,
        null::string as product_name,
        null::string as test_name,
        machine_id,
        detail,
        finding_count,
        example
    from findings
)

select * from final
