-- Spans in which a place (a machine, or a line's own sensors) is not itself: nothing is flagged, nothing is learned.
-- Spans of a place never overlap; of two reasons at once the first in the alphabet is named.
{{ config(materialized="view") }}

with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

places as (
    select
        place,
        machine_id,
        min(line_id) as line_id
    from {{ ref("int_metric_series") }}
    where place is not null
    group by place, machine_id
),

states as (
    select
        machine_id,
        lower(trim(state)) as state,
        state_start_at as start_at,
        lead(state_start_at) over (partition by machine_id order by state_start_at, record_hash) as end_at
    from {{ ref("stg_machine_state") }}
),

by_machine as (
    select
        machine_id,
        start_at,
        end_at,
        case when kind = 'corrective' then 'repair' else 'maintenance' end as reason
    from {{ ref("stg_maintenance") }}
    union all
    select
        machine_id,
        start_at,
        end_at,
        'changeover' as reason
    from states
    where state in ('changeover', 'change over', 'change-over', 'setup', 'set-up', 'set up') and end_at is not null
),

spans as (
    select
        places.place,
        by_machine.start_at,
        by_machine.end_at,
        by_machine.reason
    from by_machine
    inner join places on by_machine.machine_id = places.machine_id
    union all
    select
        places.place,
        changes.start_at,
        changes.end_at,
        changes.kind as reason
    from {{ ref("stg_schedule_change") }} as changes
    inner join places on changes.line_id = places.line_id
    where changes.kind <> 'open'
    union all
    select
        places.place,
        days.day_start_at as start_at,
        days.day_end_at as end_at,
        'holiday' as reason
    from {{ ref("stg_ref_holidays") }} as holidays
    inner join {{ ref("stg_calendar_day") }} as days on holidays.holiday_date = days.production_date
    inner join places on coalesce(holidays.line_id = places.line_id, holidays.line_id is null)
),

-- machines need a while until they run as before; the minute in which they stop is not itself either
settled as (
    select
        spans.place,
        date_trunc('minute', spans.start_at)::timestamp as start_at,
        spans.end_at + parameters.settling_min::int * interval '1 minute' as end_at,
        spans.reason
    from spans
    cross join parameters
    where spans.end_at > spans.start_at
),

started as (
    select
        *,
        coalesce(
            start_at > max(end_at) over (
                partition by place order by start_at, end_at, reason rows between unbounded preceding and 1 preceding
            ),
            true
        ) as is_start
    from settled
),

numbered as (
    select
        *,
        sum(is_start::int) over (partition by place order by start_at, end_at, reason) as span_number
    from started
),

final as (
    select
        place,
        min(start_at) as start_at,
        max(end_at) as end_at,
        min(reason) as reason
    from numbered
    group by place, span_number
)

select * from final
