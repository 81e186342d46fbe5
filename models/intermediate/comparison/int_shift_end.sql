-- One row per line and occurrence of a shift, of the latest handover_weeks weeks: from when to when it is known, in
-- plant time, too, and what stands at its end.
with

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

final as (
    select
        line as line_id,
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
)

select * from final
