-- Records by which a machine is known to be there: when each begins and ends, whatever it says.
{{ config(materialized="view") }}

with

rules as (
    select {{ production_rule("state_lasts_days") }}::int as state_lasts_days
),

records as (
    select
        'machine_state' as table_name,
        machine_id,
        state_start_at as started_at,
        state_start_at_local as started_at_local,
        state_start_at as ended_at,
        load_id,
        record_flags
    from {{ ref("stg_machine_state") }}
    union all
    select
        'machine_cycle' as table_name,
        machine_id,
        cycle_timestamp as started_at,
        cycle_timestamp_local as started_at_local,
        cycle_timestamp as ended_at,
        load_id,
        record_flags
    from {{ ref("stg_machine_cycle") }}
    union all
    select
        'production_count' as table_name,
        machine_id,
        interval_start_at as started_at,
        interval_start_at_local as started_at_local,
        greatest(interval_start_at, interval_end_at) as ended_at,
        load_id,
        record_flags
    from {{ ref("stg_production_count") }}
    union all
    select
        'test_record' as table_name,
        machine_id,
        test_timestamp as started_at,
        test_timestamp_local as started_at_local,
        {{ seconds_after("test_timestamp", "coalesce(test_duration_s, 0e0)") }} as ended_at,
        load_id,
        record_flags
    from {{ ref("stg_test_record") }}
),

final as (
    select
        records.table_name,
        records.machine_id,
        records.started_at,
        records.started_at_local,
        -- nothing is believed to last longer
        least(records.ended_at, records.started_at + rules.state_lasts_days * interval '1 day') as ended_at,
        records.load_id,
        -- what lies ahead, by a wrong clock, does not say until when all others are known
        coalesce(records.record_flags like '%:future%', false) as is_ahead
    from records
    cross join rules
)

select * from final
