-- The schedule of each line on the days being read, in elementary segments: neither the hour nor anything that is
-- planned changes within one. Line '' are the machines without a line. window_started_at, window_ended_at: the span
-- around it that is scheduled like it, without a pause; NULL where its end is not among the days read.
{% set full_hour_start = microseconds_between(
    "days.day_start_at_local", "date_trunc('hour', days.day_start_at_local)"
) %}
{% set full_hour_end = microseconds_between("days.day_end_at_local", "date_trunc('hour', days.day_end_at_local)") %}

with

rules as (
    select {{ production_rule("handover_min") }}::int as handover_min
),

lines as (
    select distinct
        coalesce(line_id, '') as line_id,
        calendar_line_id
    from {{ ref("int_machine") }}
),

line_ids as (
    select distinct line_id from lines
),

days as (
    select * from {{ ref("int_machine_day_read") }}
),

dates as (
    select production_date as shift_date from days
    union
    select (production_date + interval '1 day')::date as shift_date from days
),

occurrences as (
    select
        lines.line_id,
        shifts.kind,
        shifts.shift_date,
        shifts.shift_name,
        shifts.crew,
        shifts.shift_start_at,
        shifts.shift_end_at
    from {{ ref("stg_calendar_shift") }} as shifts
    inner join dates on shifts.shift_date = dates.shift_date
    inner join lines on shifts.line_id = lines.calendar_line_id
    where shifts.shift_end_at > shifts.shift_start_at
),

-- one of equal ones: a line may be named twice
shifts as (
    select
        line_id,
        shift_start_at,
        max(shift_end_at) as shift_end_at,
        min(shift_date) as shift_date,
        min(shift_name) as shift_name,
        min(crew) as crew
    from occurrences
    where kind = 'shift'
    group by line_id, shift_start_at
),

changes as (
    select distinct
        line_id,
        kind,
        start_at,
        end_at
    from {{ ref("stg_schedule_change") }}
),

hours (hour_number) as (
    values
    (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17), (18), (19), (20),
    (21), (22), (23), (24), (25), (26)
),

-- full hours of the wall clock, before the clock is changed and after it
hours_of_day as (
    select
        days.day_start_at,
        {{ microseconds_after("days.day_start_at", full_hour_start) }}
        + hours.hour_number * interval '1 hour' as moment,
        days.day_start_at as from_at,
        coalesce(days.offset_changed_at, days.day_end_at) as until_at
    from days
    cross join hours
    union all
    select
        days.day_start_at,
        {{ microseconds_after("days.day_end_at", full_hour_end) }}
        - hours.hour_number * interval '1 hour' as moment,
        days.offset_changed_at as from_at,
        days.day_end_at as until_at
    from days
    cross join hours
    where days.offset_changed_at is not null
),

bounds_of_day as (
    select
        'day' as kind,
        day_start_at as moment,
        null::timestamp as until_at
    from days
    union all
    select
        'bound' as kind,
        day_end_at as moment,
        null::timestamp as until_at
    from days
    union all
    select
        'bound' as kind,
        offset_changed_at as moment,
        null::timestamp as until_at
    from days
    where offset_changed_at is not null
    union all
    select
        'bound' as kind,
        moment,
        null::timestamp as until_at
    from hours_of_day
    where moment > from_at and moment < until_at
),

events as (
    select
        lines.line_id,
        bounds_of_day.kind,
        bounds_of_day.moment,
        bounds_of_day.until_at
    from bounds_of_day
    cross join line_ids as lines
    union all
    select
        line_id,
        kind,
        shift_start_at as moment,
        shift_end_at as until_at
    from occurrences
    union all
    select
        line_id,
        'bound' as kind,
        shift_end_at as moment,
        null::timestamp as until_at
    from occurrences
    union all
    select
        shifts.line_id,
        'bound' as kind,
        shifts.shift_start_at + rules.handover_min * interval '1 minute' as moment,
        null::timestamp as until_at
    from shifts
    cross join rules
    union all
    select
        shifts.line_id,
        'bound' as kind,
        shifts.shift_end_at - rules.handover_min * interval '1 minute' as moment,
        null::timestamp as until_at
    from shifts
    cross join rules
    union all
    select
        line_id,
        kind,
        start_at as moment,
        end_at as until_at
    from changes
    union all
    select
        line_id,
        'bound' as kind,
        end_at as moment,
        null::timestamp as until_at
    from changes
),

points as (
    select
        line_id,
        moment,
        lead(moment) over (partition by line_id order by moment) as ended_at,
        {% for kind in ["day", "shift"] -%}
            max(case when kind = '{{ kind }}' then moment end) over until_now as {{ kind }}_start_at,
        {% endfor -%}
    {% for kind in ["break", "open", "closed", "holiday", "maintenance"] -%}
        coalesce(max(case when kind = '{{ kind }}' then until_at end) over until_now > moment, false) as in_{{ kind }}
        {{- "," if not loop.last }}
    {% endfor %}
    from events
    window until_now as (
        partition by line_id order by moment range between unbounded preceding and current row
    )
),

holidays as (
    select distinct
        holiday_date,
        line_id
    from {{ ref("stg_ref_holidays") }}
),

segments as (
    select
        points.*,
        points.shift_start_at is not null and shifts.shift_end_at > points.moment as in_shift,
        shifts.shift_date,
        shifts.shift_name,
        shifts.crew,
        shifts.shift_end_at,
        days.production_date,
        days.production_week_start,
        days.day_end_at,
        days.looks_back_to,
        days.looks_ahead_to,
        days.is_written,
        {{ microseconds_after(
            "points.moment",
            "case when points.moment < coalesce(days.offset_changed_at, days.day_end_at) then "
            ~ microseconds_between("days.day_start_at", "days.day_start_at_local") ~ " else "
            ~ microseconds_between("days.day_end_at", "days.day_end_at_local") ~ " end"
        ) }} as started_at_local,
        exists(
            select 1 from holidays
            where
                holidays.holiday_date = days.production_date
                and coalesce(holidays.line_id, points.line_id) = points.line_id
        ) as is_holiday
    from points
    inner join days
        on points.day_start_at = days.day_start_at
        and points.moment < days.day_end_at
    left join shifts
        on points.line_id = shifts.line_id
        and points.shift_start_at = shifts.shift_start_at
    where points.ended_at > points.moment
),

judged as (
    select
        segments.*,
        case
            when in_open then null
            when in_closed then 'closed'
            when in_holiday or (is_holiday and not in_shift) then 'holiday'
            when not in_shift then 'unscheduled'
        end as unscheduled_bucket,
        case when in_maintenance then 'planned_maintenance' when in_break then 'break' end as planned_bucket,
        case
            when not in_shift then null
            when moment < shift_start_at + rules.handover_min * interval '1 minute' then 'start'
            when moment >= shift_end_at - rules.handover_min * interval '1 minute' then 'end'
            else 'middle'
        end as shift_phase
    from segments
    cross join rules
),

final as (
    select
        line_id,
        moment as started_at,
        started_at_local,
        ended_at,

        -- calendar
        production_date,
        production_week_start,
        date_trunc('hour', started_at_local)::timestamp as hour_local,
        day_start_at as day_started_at,
        is_written,
        looks_back_to,
        looks_ahead_to,

        -- shift
        case when in_shift then shift_date end as shift_date,
        case when in_shift then shift_name end as shift_name,
        case when in_shift then crew end as crew,
        case when in_shift then shift_start_at end as shift_start_at,
        shift_phase,
        -- what a machine must have a record in, for what it does in the rest of it to be known
        case when in_shift then shift_start_at else day_start_at end as unit_started_at,
        case when in_shift then shift_end_at else day_end_at end as unit_ended_at,

        -- schedule
        unscheduled_bucket,
        planned_bucket,
        case
            when unscheduled_bucket is null
                then max(case when unscheduled_bucket is not null then ended_at end) over until_now
            else max(case when unscheduled_bucket is null then ended_at end) over until_now
        end as window_started_at,
        case
            when unscheduled_bucket is null
                then min(case when unscheduled_bucket is not null then moment end) over from_now
            else min(case when unscheduled_bucket is null then moment end) over from_now
        end as window_ended_at
    from judged
    window
        until_now as (partition by line_id order by moment rows between unbounded preceding and current row),
        from_now as (partition by line_id order by moment desc rows between unbounded preceding and current row)
)

select * from final
