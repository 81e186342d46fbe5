-- One row per line and occurrence of a shift, of the latest handover_weeks weeks: from when to when it is known, in
-- plant time, too, when it is over, and what stands at its end.
with

-- of a line whose machines follow other calendars, the last of them
shift_ends as (
    select
        coalesce(machines.line_id, '(none)') as line,
        shifts.shift_start_at,
        max(shifts.shift_end_at_local) as shift_end_local
    from {{ ref("int_machine") }} as machines
    inner join {{ ref("stg_calendar_shift") }} as shifts on machines.calendar_line_id = shifts.line_id
    where shifts.kind = 'shift'
    group by all
),

intervals as (
    select
        *,
        coalesce(line_id, '(none)') as line,
        {{ microseconds_after("started_at_local", "duration_us") }} as ended_at_local,
        row_number() over (partition by machine_id, shift_start_at order by started_at desc) as rank_from_end,
        min(started_at_local) over (partition by machine_id, stop_started_at) as stop_seen_at_local
    from {{ ref("int_machine_interval") }}
    where shift_name is not null and {{ in_latest_weeks(var("handover_weeks")) }}
),

-- an idle machine, or one that stopped making units before its shift was over, is no stop to hand over
judged as (
    select
        *,
        rank_from_end = 1 and stop_started_at is not null
        and bucket not in ('idle', 'late_start', 'early_end', 'performance_stop') as is_open_stop
    from intervals
),

shifts as (
    select
        line,
        shift_date,
        shift_name,
        shift_start_at,
        min_by(started_at_local, started_at) as shift_start_local,
        max(ended_at) as known_until,
        max_by(ended_at_local, ended_at) as known_until_local,
        count_if(is_open_stop)::bigint as open_stop_count,
        {{ listed(
            "case when is_open_stop then concat(machine_id, ' ', replace(bucket, '_', ' ')"
            ~ ", case when reason_code is not null then concat(' (', reason_code, ')') else '' end"
            ~ ", ' since ', substring(stop_seen_at_local::string, 1, 16)) end", "machine_id"
        ) }} as open_stops
    from judged
    group by line, shift_date, shift_name, shift_start_at
),

final as (
    select
        line as line_id,
        shift_date,
        shift_name,
        shift_start_at,
        shift_start_local,
        shift_end_local,
        known_until,
        known_until_local,
        open_stop_count,
        open_stops
    from shifts
    left join shift_ends using (line, shift_start_at)
)

select * from final
