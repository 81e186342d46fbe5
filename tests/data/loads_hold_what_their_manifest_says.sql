-- A load's files are damaged or incomplete: they hold more or fewer test records or rejects than were loaded.
with

loads as (
    select *
    from {{ ref("stg_load") }}
    where status = 'loaded' and table_name = 'test_record' {% if not var("verify_everything") %}and is_new{% endif %}
),

records as (
    select
        load_id,
        count(*) as record_count
    from {{ ref("stg_test_record") }}
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
left join records on loads.load_id = records.load_id
left join rejects on loads.load_id = rejects.load_id
where
    loads.row_count <> coalesce(records.record_count, 0)
    or loads.reject_count <> coalesce(rejects.record_count, 0)
