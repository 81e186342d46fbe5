-- What each machine tested by shift and phase of the shift in which the attempts started, by load week of the modules
-- as well, so that it outlives the attempts of a closed load week. Attempts outside every shift are left out.
{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    pre_hook="{{ clear_touched_weeks() }}",
) }}

with

rules as (
    select {{ production_rule("handover_min") }}::int as handover_min
),

machines as (
    select
        machine_id,
        coalesce(line_id, '(none)') as line_id,
        calendar_line_id
    from {{ ref("int_machine") }}
),

shifts as (
    select
        line_id as calendar_line_id,
        shift_start_at,
        max(shift_end_at) as shift_end_at,
        min(shift_date) as shift_date,
        min(shift_name) as shift_name,
        min(crew) as crew
    from {{ ref("stg_calendar_shift") }}
    where kind = 'shift' and shift_end_at > shift_start_at
    group by line_id, shift_start_at
),

-- a shift that began the day before may still go on
attempts as (
    select
        attempts.load_week_start,
        attempts.production_week_start,
        machines.line_id,
        machines.calendar_line_id,
        attempts.machine_id,
        attempts.product_name,
        attempts.test_name,
        attempts.test_timestamp,
        attempts.test_result,
        attempts.run_number,
        (attempts.test_timestamp_local - days.earlier * interval '1 day')::date as shift_date
    from {{ ref("test_attempt") }} as attempts
    inner join machines on attempts.machine_id = machines.machine_id
    cross join (values (0), (1)) as days (earlier)
    where attempts.run_number is not null and {{ in_touched_weeks("attempts.load_week_start") }}
),

placed as (
    select
        attempts.*,
        shifts.shift_name,
        shifts.crew,
        case
            when attempts.test_timestamp < shifts.shift_start_at + rules.handover_min * interval '1 minute' then 'start'
            when attempts.test_timestamp >= shifts.shift_end_at - rules.handover_min * interval '1 minute' then 'end'
            else 'middle'
        end as shift_phase
    from attempts
    inner join shifts
        on attempts.calendar_line_id = shifts.calendar_line_id
        and attempts.shift_date = shifts.shift_date
        and attempts.test_timestamp >= shifts.shift_start_at
        and attempts.test_timestamp < shifts.shift_end_at
    cross join rules
),

final as (
    select
        load_week_start,
        production_week_start,
        shift_date,
        shift_name,
        crew,
        shift_phase,
        line_id,
        machine_id,
        product_name,
        test_name,
        count(*) as attempt_count,
        count(*) filter (where test_result = 'pass') as pass_count,
        count(*) filter (where run_number = 1) as first_run_count,
        count(*) filter (where run_number = 1 and test_result = 'pass') as first_run_pass_count
    from placed
    group by all
)

select * from final
