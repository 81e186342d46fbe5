-- What did not come in: rejected records by table and reason, objects that could not be read, repairs and
-- decisions that belong to no module.
{{ config(materialized="view") }}

with

rejects as (
    select * from {{ ref("stg_reject") }} where is_open
),

loads as (
    select * from {{ ref("stg_load") }}
),

modules as (
    select * from {{ ref("int_module_known") }}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

events as (
    select * from {{ ref("int_event") }}
),

events_placed as (
    select distinct
        events.table_name,
        events.serial_num,
        events.happened_at
    from events
    cross join plant
    inner join modules
        on events.serial_num = modules.serial_num
        and {{ within_life("events.happened_at") }}
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
        'event_without_module' as finding,
        'warning' as severity,
        events.table_name,
        null::string as detail,
        count(*) as finding_count,
        min(events.serial_num) as example
    from events
    left join events_placed
        on events.table_name = events_placed.table_name
        and events.serial_num = events_placed.serial_num
        and events.happened_at = events_placed.happened_at
    where events_placed.serial_num is null
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
