-- Where the time of each machine went: one row per machine and elementary interval, each in exactly one bucket. The
-- order of the cases is the order of priority (docs/machine_time.md).
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

with

rules as (
    select {{ production_rule("busy_window_first_to_last") }} = 1 as is_first_to_last
),

machines as (
    select * from {{ ref("int_machine") }}
),

buckets as (
    select
        bucket,
        time_group
    from {{ ref("int_time_bucket") }}
),

classes as (
    select
        *,
        coalesce(up_to_us, 9223372036854775807) as ends_us
    from {{ ref("int_stop_class") }}
),

states as (
    select * from {{ ref("int_machine_state_meant") }}
),

products as (
    select * from {{ ref("int_machine_evidence") }} where kind = 'product'
),

spans as (
    select
        spans.machine_id,
        machines.line_id,
        machines.stop_class_machine_id,
        machines.horizon_at,
        spans.moment,
        spans.ended_at,
        schedule.production_date,
        schedule.production_week_start,
        schedule.hour_local,
        schedule.started_at as schedule_at,
        schedule.started_at_local as schedule_at_local,
        schedule.shift_date,
        schedule.shift_name,
        schedule.crew,
        schedule.shift_start_at,
        schedule.shift_phase,
        schedule.unit_started_at,
        schedule.unit_ended_at,
        schedule.unscheduled_bucket,
        schedule.planned_bucket,
        schedule.window_started_at,
        schedule.window_ended_at,
        schedule.looks_back_to,
        spans.state_at,
        spans.corrective_at,
        spans.count_until,
        -- what lies further away than anything is believed is as good as unknown
        {% for name in ["cycle_until", "part_until", "test_until", "retest_until", "product_at"] -%}
            case when spans.{{ name }} >= schedule.looks_back_to then spans.{{ name }} end as {{ name }},
        {% endfor -%}
        {% for name in ["cycle", "part", "test", "retest", "count", "product"] -%}
            case when spans.next_{{ name }}_at < schedule.looks_ahead_to then spans.next_{{ name }}_at end
                as next_{{ name }}_at,
        {% endfor -%}
        coalesce(spans.planned_until > spans.moment, false) as in_planned,
        coalesce(spans.corrective_until > spans.moment, false) as in_corrective,
        coalesce(spans.test_until > spans.moment, false) as in_test,
        coalesce(spans.retest_until > spans.moment, false) as in_retest,
        coalesce(spans.cycle_until > spans.moment, false) as in_cycle,
        coalesce(spans.part_until > spans.moment, false) as in_part,
        coalesce(spans.count_until > spans.moment, false) as in_count,
        coalesce(spans.count_outside_until > spans.moment, false) as in_count_outside
    from {{ ref("int_machine_span") }} as spans
    inner join machines on spans.machine_id = machines.machine_id
    inner join {{ ref("int_line_schedule") }} as schedule
        on coalesce(machines.line_id, '') = schedule.line_id
        and spans.schedule_at = schedule.started_at
    where schedule.is_written
),

known as (
    select
        spans.*,
        rules.is_first_to_last,
        states.state_start_at is not null as in_state,
        states.bucket as state_bucket,
        states.time_group as state_group,
        states.reason_code as state_reason_code,
        states.is_failure as state_is_failure,
        states.run_started_at,
        states.work_order_id as state_work_order_id,
        states.product_name as order_product_name,
        case
            when states.state_start_at is not null
                then states.time_group = 'APT' and states.bucket <> 'performance_stop'
            else in_test or in_retest or in_part
        end as is_producing,
        unscheduled_bucket is not null or planned_bucket is not null or in_planned as is_outside,
        -- a count says that units were made in its interval, not when
        states.state_start_at is null and unscheduled_bucket is not null and in_count_outside as is_counted_outside,
        coalesce(cycle_until >= unit_started_at, false) or coalesce(next_cycle_at < unit_ended_at, false)
            as has_cycles,
        coalesce(greatest(test_until, retest_until) > unit_started_at, false)
        or coalesce(least(next_test_at, next_retest_at) < unit_ended_at, false) as has_tests,
        coalesce(count_until > unit_started_at, false) or coalesce(next_count_at < unit_ended_at, false) as has_counts,
        part_until is null or coalesce(window_started_at > part_until, false) as is_before_first,
        next_part_at is null or coalesce(window_ended_at <= next_part_at, false) as is_after_last,
        {{ microseconds_between("cycle_until", "next_cycle_at") }} as gap_us
    from spans
    cross join rules
    left join states
        on spans.machine_id = states.machine_id
        and spans.state_at = states.state_start_at
        and spans.moment < states.believed_until
),

judged as (
    select
        *,
        -- first what the time is, and who says so
        case
            when is_outside and in_state and is_producing then 'state: unplanned_production'
            when is_outside and in_part and is_producing then 'cycle: unplanned_production'
            when is_outside and is_producing then 'test: unplanned_production'
            when is_counted_outside then 'count: unplanned_production'
            when unscheduled_bucket is not null then concat('schedule: ', unscheduled_bucket)
            when in_planned then 'maintenance: planned_maintenance'
            when planned_bucket is not null then concat('schedule: ', planned_bucket)
            when in_state and (state_group in ('planned_downtime', 'unscheduled') or is_producing)
                then concat('state: ', state_bucket)
            when in_corrective and not is_producing and coalesce(state_bucket <> 'malfunction', true)
                then 'maintenance: malfunction'
            when in_state then concat('state: ', state_bucket)
            when in_test then 'test: production'
            when in_part then 'cycle: production'
            when in_retest then 'test: retest'
            when moment >= horizon_at and not (is_first_to_last and has_cycles) then 'none: no_data'
            when has_cycles and is_before_first then 'cycle: late_start'
            when has_cycles and is_after_last then 'cycle: early_end'
            when in_cycle then 'cycle: production'
            when has_cycles then 'cycle: gap'
            when in_count then 'count: production'
            when has_tests then 'test: idle'
            when has_counts then 'count: idle'
            else 'none: no_data'
        end as verdict
    from known
),

classed as (
    select
        judged.*,
        split_part(verdict, ': ', 1) as evidence,
        case
            when verdict <> 'cycle: gap' then split_part(verdict, ': ', 2)
            when classes.counts_as = 'performance' then 'performance_stop'
            when classes.is_failure then 'malfunction'
            else 'interruption'
        end as bucket,
        classes.stop_class,
        classes.is_failure as class_is_failure
    from judged
    left join classes
        -- no condition on one side alone: the engine would compare all rows with all
        on case when judged.verdict = 'cycle: gap' then judged.stop_class_machine_id end = classes.machine_id
        and judged.gap_us > classes.longer_than_us
        and judged.gap_us <= classes.ends_us
),

grouped as (
    select
        classed.*,
        buckets.time_group,
        buckets.time_group in ('AUST', 'ADET', 'ADOT') or classed.bucket = 'performance_stop' as is_stop,
        case when classed.bucket = 'setup' then next_product_at else product_at end as made_at
    from classed
    inner join buckets on classed.bucket = buckets.bucket
),

final as (
    select
        -- keys
        grouped.machine_id,
        grouped.line_id,
        grouped.production_date,
        grouped.shift_date,
        grouped.shift_name,
        grouped.crew,
        grouped.shift_start_at,
        grouped.shift_phase,
        grouped.hour_local,
        grouped.moment as started_at,
        grouped.ended_at,
        {{ microseconds_after(
            "grouped.schedule_at_local", microseconds_between("grouped.schedule_at", "grouped.moment")
        ) }} as started_at_local,

        -- what the time is
        grouped.bucket,
        grouped.time_group,
        case when grouped.evidence = 'state' then grouped.state_reason_code end as reason_code,
        grouped.stop_class,
        case
            when not grouped.is_stop then false
            when grouped.evidence = 'state' then grouped.state_is_failure
            when grouped.evidence = 'maintenance' then true
            else coalesce(grouped.class_is_failure, false)
        end as is_failure,
        grouped.evidence,
        case
            when grouped.is_stop
                then greatest(
                    case
                        when grouped.evidence = 'state' then grouped.run_started_at
                        when grouped.evidence = 'maintenance' then grouped.corrective_at
                        when grouped.bucket = 'late_start' then grouped.window_started_at
                        when grouped.bucket = 'early_end' then grouped.part_until
                        when grouped.bucket = 'idle'
                            then greatest(
                                grouped.test_until, grouped.retest_until, grouped.count_until, grouped.window_started_at
                            )
                        else grouped.cycle_until
                    end,
                    grouped.looks_back_to
                )
        end as stop_started_at,

        -- what was loaded
        case
            when grouped.time_group in ('APT', 'AUST', 'ADET', 'ADOT')
                then coalesce(
                    case when grouped.evidence in ('state', 'maintenance') then grouped.order_product_name end,
                    products.product_name,
                    '(none)'
                )
            else '(none)'
        end as product_name,
        case
            when grouped.time_group in ('APT', 'AUST', 'ADET', 'ADOT')
                then coalesce(grouped.state_work_order_id, products.work_order_id)
        end as work_order_id,

        {{ microseconds_between("grouped.moment", "grouped.ended_at") }} as duration_us,
        grouped.production_week_start
    from grouped
    left join products
        on grouped.machine_id = products.machine_id
        and grouped.made_at = products.moment
)

select * from final order by production_week_start, machine_id, started_at
