-- What came too late for a closed week: test records by their week, product and test, repairs and decisions by the load
-- week of their module. They stay in raw.
with

closings as (
    select * from {{ source("ops", "closed") }}
),

-- the few loads that reach back into a week which was closed before they came
loads as (
    select distinct stg_load.load_id
    from {{ ref("stg_load") }} as stg_load
    inner join closings
        on stg_load.load_id > closings.last_load_id
        and stg_load.min_event_at < closings.closed_before::timestamp + interval '2 days'
    where stg_load.status = 'loaded' and stg_load.table_name = 'test_record'
),

records as (
    select *
    from {{ ref("int_test_record_dated") }}
    where {{ some_week_is_closed() }} and load_id in (select load_id from loads)
),

weeks as (
    select
        records.production_week_start,
        min(closings.last_load_id) as last_load_id
    from records
    inner join closings on records.production_week_start < closings.closed_before
    group by all
),

modules as (
    select * from {{ source("ops", "closed_module") }}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

events as (
    select * from {{ ref("int_event") }}
),

late as (
    select
        'test_record' as table_name,
        records.production_week_start as week_start,
        records.product_name,
        records.test_name,
        records.serial_num as example,
        1::bigint as late_count
    from records
    inner join weeks
        on records.production_week_start = weeks.production_week_start
        and records.load_id > weeks.last_load_id
    union all
    select
        'test_record' as table_name,
        production_week_start as week_start,
        product_name,
        test_name,
        example,
        record_count as late_count
    from {{ ref("int_record_late") }}
    union all
    select
        events.table_name,
        modules.load_week_start as week_start,
        modules.product_name,
        null::string as test_name,
        events.serial_num as example,
        1::bigint as late_count
    from events
    cross join plant
    inner join modules
        on events.serial_num = modules.serial_num
        and events.load_id > modules.last_load_id
        and {{ within_life("events.happened_at") }}
),

final as (
    select
        'late_beyond_retention' as finding,
        'warning' as severity,
        table_name,
        {{ week_label("week_start") }} as load_week,
        product_name,
        test_name,
        null::string as machine_id,
        null::string as detail,
        sum(late_count)::bigint as finding_count,
        min(example) as example
    from late
    group by table_name, week_start, product_name, test_name
)

select * from final
