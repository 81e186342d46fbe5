-- What did not come in: rejected records by table and reason, objects that could not be read, repairs and decisions
-- of serial numbers that no test record has.
{{ config(materialized="view") }}

with

rejects as (
    select * from {{ ref("stg_reject") }}
),

loads as (
    select * from {{ ref("stg_load") }}
),

modules as (
    select * from {{ ref("module_status") }}
),

orphans as (
    select
        'rework' as table_name,
        serial_num
    from {{ ref("int_rework_deduplicated") }}
    union all
    select
        'disposition' as table_name,
        serial_num
    from {{ ref("int_disposition_last") }}
),

counted as (
    select
        'rejected_record' as finding,
        'error' as severity,
        table_name,
        reason as detail,
        count(*) as finding_count,
        min(record) as example
    from rejects
    group by all

    union all

    select
        'failed_load' as finding,
        'error' as severity,
        table_name,
        error as detail,
        count(*) as finding_count,
        min(object) as example
    from loads
    where status = 'failed'
    group by all

    union all

    select
        'unknown_serial' as finding,
        'warning' as severity,
        table_name,
        null::string as detail,
        count(*) as finding_count,
        min(serial_num) as example
    from orphans
    where serial_num not in (select serial_num from modules)
    group by all
),

final as (
    select
        finding,
        severity,
        table_name,
        null::string as load_week,
        null::string as product_name,
        null::string as test_name,
        null::string as machine_id,
        detail,
        finding_count,
        example
    from counted
)

select * from final
