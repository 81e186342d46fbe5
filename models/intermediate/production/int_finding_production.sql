-- Findings on machines' records and figures, by production week and machine or product, and on reference data that does
-- not fit.
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

rules as (
    select {{ production_rule("min_data_coverage") }} as min_data_coverage
),

days as (
    select
        days.*,
        days.effectiveness > 1 + 1e-9 as is_too_fast,
        days.data_coverage < rules.min_data_coverage as is_unseen,
        days.produced = 0 and days.apt_s > 0e0 as is_uncounted
    from {{ ref("oee_by_machine_day") }} as days
    cross join rules
),

findings as (
    select
        finding,
        severity,
        table_name,
        {{ week_label("production_week_start") }} as load_week,
        null::string as product_name,
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
        null::string as product_name,
        null::string as machine_id,
        null::string as detail,
        count(*) as finding_count,
        bucket as example
    from own_buckets
    where lower(trim(bucket)) not in (select bucket from buckets)
    group by table_name, bucket
    {% for finding, severity, condition in [
        ("effectiveness_above_1", "warning", "is_too_fast"),
        ("low_data_coverage", "info", "is_unseen"),
        ("production_without_output", "warning", "is_uncounted"),
    ] -%}
        union all
        select
            '{{ finding }}' as finding,
            '{{ severity }}' as severity,
            'oee_by_machine_day' as table_name,
            {{ week_label("production_week_start") }} as load_week,
            null::string as product_name,
            machine_id,
            null::string as detail,
            count(*) as finding_count,
            min(production_date)::string as example
        from days
        where {{ condition }}
        group by production_week_start, machine_id
    {% endfor -%}
    union all
    select
        'unrated_units' as finding,
        'warning' as severity,
        'ref_standard_rates' as table_name,
        production_week as load_week,
        product_name,
        null::string as machine_id,
        null::string as detail,
        unrated_count as finding_count,
        product_name as example
    from {{ ref("oee_by_product_week") }}
    where unrated_count > 0
),

final as (
    select
        finding,
        severity,
        table_name,
        load_week,
        product_name,
        null::string as test_name,
        machine_id,
        detail,
        finding_count,
        example
    from findings
)

select * from final
