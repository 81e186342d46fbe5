-- One row per machine, production week, table and load with records of it: where to look for a machine's records, so
-- that a night need not look for them in all of history. Never counted: the build after a failed one adds its rows once
-- more.
{{ config(materialized="incremental", partition_by="production_week_start") }}

with

loads as (
    select load_id
    from {{ ref("stg_load") }}
    where
        status = 'loaded'
        and table_name in ('machine_state', 'machine_cycle', 'production_count', 'test_record')
        {% if is_incremental() %}
            and is_new
        {% endif %}
),

records as (
    select
        records.*,
        {{ production_date("records.started_at_local") }} as production_date
    from {{ ref("int_machine_record") }} as records
    inner join loads on records.load_id = loads.load_id
    cross join {{ ref("stg_ref_plant") }} as plant
),

final as (
    select
        machine_id,
        table_name,
        load_id,
        min(production_date) as first_date,
        max(production_date) as last_date,
        -- NULL where all of them lie ahead
        max(case when not is_ahead then ended_at end) as last_at,
        date_trunc('week', production_date)::date as production_week_start
    from records
    group by machine_id, table_name, load_id, date_trunc('week', production_date)::date
)

select * from final order by production_week_start
