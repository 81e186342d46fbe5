-- Findings on machines' records: one row per production week, machine, finding and what it is about.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

with

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

touched as (
    select week_start from {{ ref("int_touched_machine_week") }}
),

states as (
    select
        'machine_state' as table_name,
        machine_id,
        state_start_at as started_at,
        state_start_at_local as started_at_local,
        record_hash,
        coalesce(record_flags like '%:future%', false) as is_future,
        state as example
    from {{ ref("stg_machine_state") }}
    where {{ read_for_machine_weeks("state_start_at") }}
),

counts as (
    select
        *,
        interval_end_at < interval_start_at as is_backward,
        total_count <> coalesce(good_count, total_count - coalesce(scrap_count, 0) - coalesce(rework_count, 0))
        + coalesce(scrap_count, 0) + coalesce(rework_count, 0) as is_unequal
    from {{ ref("stg_production_count") }}
    where {{ read_for_machine_weeks("interval_start_at") }}
),

found as (
    -- states that are in force, by what is not known of them
    select
        'unknown_state' as finding,
        'warning' as severity,
        'machine_state' as table_name,
        states.machine_id,
        lower(trim(meant.state)) as detail,
        states.started_at_local,
        states.record_hash
    from states
    inner join {{ ref("int_machine_state_meant") }} as meant
        on states.machine_id = meant.machine_id
        and states.started_at = meant.state_start_at
        and states.example = meant.state
    where not meant.is_known
    union all
    select
        'unknown_reason' as finding,
        'warning' as severity,
        'machine_state' as table_name,
        states.machine_id,
        meant.reason_code as detail,
        states.started_at_local,
        states.record_hash
    from states
    inner join {{ ref("int_machine_state_meant") }} as meant
        on states.machine_id = meant.machine_id
        and states.started_at = meant.state_start_at
        and states.example = meant.state
    where
        meant.reason_code is not null
        and not meant.is_known_reason
        and exists (select 1 from {{ ref("stg_ref_downtime_reasons") }})
    union all
    select
        'conflicting_record' as finding,
        'warning' as severity,
        'machine_state' as table_name,
        machine_id,
        null::string as detail,
        min(started_at_local) as started_at_local,
        min(record_hash) as record_hash
    from states
    group by machine_id, started_at
    having min(record_hash) <> max(record_hash)
    union all
    select
        'future_timestamp' as finding,
        'warning' as severity,
        'machine_state' as table_name,
        machine_id,
        null::string as detail,
        started_at_local,
        record_hash
    from states
    where is_future
    union all
    select
        'future_timestamp' as finding,
        'warning' as severity,
        'machine_cycle' as table_name,
        machine_id,
        null::string as detail,
        cycle_timestamp_local as started_at_local,
        record_hash
    from {{ ref("stg_machine_cycle") }}
    where record_flags like '%:future%' and {{ read_for_machine_weeks("cycle_timestamp") }}
    union all
    select
        'backward_interval' as finding,
        'warning' as severity,
        'production_count' as table_name,
        machine_id,
        product_name as detail,
        interval_start_at_local as started_at_local,
        record_hash
    from counts
    where is_backward
    union all
    select
        'unequal_count' as finding,
        'warning' as severity,
        'production_count' as table_name,
        machine_id,
        product_name as detail,
        interval_start_at_local as started_at_local,
        record_hash
    from counts
    where is_unequal
    union all
    select
        'backward_interval' as finding,
        'warning' as severity,
        'maintenance' as table_name,
        machine_id,
        kind as detail,
        start_at_local as started_at_local,
        record_hash
    from {{ ref("stg_maintenance") }}
    where end_at < start_at
),

final as (
    select
        found.finding,
        found.severity,
        found.table_name,
        found.machine_id,
        found.detail,
        count(distinct found.record_hash) as finding_count,
        min(found.started_at_local::string) as example,
        date_trunc('week', {{ production_date("found.started_at_local") }})::date as production_week_start
    from found
    cross join plant
    where date_trunc('week', {{ production_date("found.started_at_local") }})::date in (select week_start from touched)
    group by all
)

select * from final
