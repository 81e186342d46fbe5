-- Elementary spans of the machines on the days being read, and what holds in each: the state that began last, until
-- when the last of each kind of evidence reached, and when the next begins. Nothing is decided here. A window costs as
-- much for a kind that no record is of as for any other: those that there are none of are left out.
{% set kinds_found = machine_event_kinds() %}
{% set kinds_before = ["cycle", "part", "test", "retest", "count", "count_outside", "planned", "corrective"] %}
{% set kinds_after = ["cycle", "part", "test", "retest", "count", "product"] %}

with

machines as (
    select * from {{ ref("int_machine") }}
),

schedule as (
    select * from {{ ref("int_line_schedule") }}
),

jobs as (
    select
        machine_id,
        case when kind = 'corrective' then 'corrective' else 'planned' end as kind,
        start_at,
        end_at,
        max(end_at) over (
            partition by machine_id, kind = 'corrective'
            order by start_at, end_at rows between unbounded preceding and 1 preceding
        ) as ended_before
    from {{ ref("stg_maintenance") }}
    where end_at > start_at
),

-- overlapping jobs are one
jobs_numbered as (
    select
        *,
        count(case when coalesce(start_at > ended_before, true) then 1 end) over (
            partition by machine_id, kind order by start_at range between unbounded preceding and current row
        ) as job_number
    from jobs
),

reaching as (
    select
        machine_id,
        kind,
        moment,
        until_at
    from {{ ref("int_machine_evidence") }}
    union all
    select
        machine_id,
        'state' as kind,
        state_start_at as moment,
        case when ends_alone then believed_until end as until_at
    from {{ ref("int_machine_state_meant") }}
    union all
    select
        machine_id,
        kind,
        min(start_at) as moment,
        max(end_at) as until_at
    from jobs_numbered
    group by machine_id, kind, job_number
),

events as (
    select
        machines.machine_id,
        'schedule' as kind,
        schedule.started_at as moment,
        schedule.ended_at as until_at
    from machines
    inner join schedule
        on coalesce(machines.line_id, '') = schedule.line_id
        and machines.first_date <= schedule.production_date
        -- the day of the horizon, whole
        and machines.horizon_at >= schedule.day_started_at
    union all
    select
        machine_id,
        kind,
        moment,
        until_at
    from reaching
    union all
    select
        machine_id,
        'bound' as kind,
        until_at as moment,
        null::timestamp as until_at
    from reaching
    where until_at > moment and kind <> 'product'
    union all
    select
        machine_id,
        'bound' as kind,
        horizon_at as moment,
        null::timestamp as until_at
    from machines
),

-- with no two alike there is one order of them, and it can be gone through from either end
events_once as (
    select
        machine_id,
        kind,
        moment,
        max(until_at) as until_at
    from events
    group by machine_id, kind, moment
),

-- how far a kind has reached grows along its own rows, so that below only its last row counts
events_ordered as (
    select
        machine_id,
        kind,
        moment,
        max(until_at) over (
            partition by machine_id, kind order by moment rows between unbounded preceding and current row
        ) as reached_until
    from events_once
),

points as (
    select
        machine_id,
        moment,
        {% for kind in ["state", "product", "corrective"] -%}
            {{ last_known("case when kind = '" ~ kind ~ "' then moment end") ~ " over until_now" if kind in kinds_found
                else "null::timestamp" }} as {{ kind }}_at,
        {% endfor -%}
        {% for kind in kinds_before -%}
            {{ last_known("case when kind = '" ~ kind ~ "' then reached_until end") ~ " over until_now"
                if kind in kinds_found else "null::timestamp" }} as {{ kind }}_until,
        {% endfor -%}
        {% for kind in kinds_after -%}
            {{ last_known("case when kind = '" ~ kind ~ "' then moment end") ~ " over from_now" if kind in kinds_found
                else "null::timestamp" }} as next_{{ kind }}_at,
        {% endfor -%}
        {{ last_known("case when kind = 'schedule' then moment end") }} over until_now as schedule_at,
        lead(moment) over (partition by machine_id order by moment, kind) as next_at
    from events_ordered
    -- from the end, since Spark looks at all that follows anew for every row. Of the events of one moment only the last
    -- row stays: it has seen them all
    window
        until_now as (
            partition by machine_id order by moment, kind rows between unbounded preceding and current row
        ),
        from_now as (
            partition by machine_id order by moment desc, kind desc rows between unbounded preceding and 1 preceding
        )
),

-- what lies before a machine's first day, or after its last, is in no segment
final as (
    select
        points.*,
        schedule.ended_at as schedule_until,
        coalesce(points.next_at, schedule.ended_at) as ended_at
    from points
    inner join machines on points.machine_id = machines.machine_id
    inner join schedule
        on coalesce(machines.line_id, '') = schedule.line_id
        and points.schedule_at = schedule.started_at
        and points.moment < schedule.ended_at
    where schedule.is_written and coalesce(points.next_at > points.moment, true)
)

select * from final
