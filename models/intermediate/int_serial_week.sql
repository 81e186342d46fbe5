-- One row per serial number, production week and load with test records of it: where to look for a module's records,
-- so that a night need not look for them in all of history. Never counted: the build after a failed one adds its rows
-- once more.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    meta={"detail": true},
) }}

with

loads as (
    select load_id
    from {{ ref("stg_load") }}
    where
        status = 'loaded' and table_name = 'test_record'
        {% if is_incremental() %}
            and is_new
        {% endif %}
),

records as (
    select * from {{ ref("int_test_record_open") }}
),

final as (
    select
        records.serial_num,
        records.production_week_start,
        records.load_id,
        bool_or(records.run_purpose = 'production') as is_production
    from records
    inner join loads on records.load_id = loads.load_id
    group by records.serial_num, records.production_week_start, records.load_id
)

select * from final order by production_week_start
