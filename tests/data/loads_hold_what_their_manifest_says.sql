-- A load's files are damaged or incomplete: they hold more or fewer records or rejects than were loaded. A load that
-- reaches back before what retention dropped may hold fewer records.
with

dropped as (
    select
        table_name,
        max(dropped_before) as dropped_before
    from {{ source("raw", "dropping") }}
    group by all
),

loads as (
    select *
    from {{ ref("stg_load") }}
    where
        status = 'loaded'
        and table_name in ('test_record', 'sensor_reading') {% if not var("verify_everything") %}and is_new{% endif %}
),

records as (
    select
        load_id,
        count(*) as record_count
    from {{ ref("stg_test_record") }}
    where load_id in (select load_id from loads)
    group by all
    union all
    select
        load_id,
        count(*) as record_count
    from {{ ref("stg_sensor_reading") }}
    where load_id in (select load_id from loads)
    group by all
),

rejects as (
    select
        load_id,
        count(*) as record_count
    from {{ ref("stg_reject") }}
    where load_id in (select load_id from loads)
    group by all
)

select
    loads.load_id,
    loads.object,
    loads.row_count,
    records.record_count,
    loads.reject_count,
    rejects.record_count as rejected_count
from loads
left join dropped on loads.table_name = dropped.table_name
left join records on loads.load_id = records.load_id
left join rejects on loads.load_id = rejects.load_id
where
    loads.row_count < coalesce(records.record_count, 0)
    or (
        loads.row_count > coalesce(records.record_count, 0)
        -- plant wall time, up to 14 hours from UTC
        and coalesce(loads.min_event_at >= dropped.dropped_before + interval '1 day', true)
    )
    or loads.reject_count <> coalesce(rejects.record_count, 0)
