{% set shift = "line_id, shift_date, shift_name, shift_start_at" %}
{% set overlap_start = "greatest(plans.planned_start_at, shifts.shift_start_at)" %}
{% set overlap_end = "least(plans.planned_end_at, shifts.known_until)" %}

with

-- the latest with records, not by the calendar: a clock that is years ahead must not leave nothing to hand over
weeks as (
    select distinct production_week_start
    from {{ ref("int_machine_time") }}
    order by production_week_start desc
    limit {{ var("handover_weeks") }}
),

machines_once as (
    select
        machine_id,
        min_by(line_id, line_number) as line_id,
        coalesce(min_by(line_position, line_number), 0) as line_position
    from {{ ref("stg_ref_machines") }}
    group by machine_id
),

-- units leave a line at its last machine; machines without a place, or without a line, stand side by side
machines as (
    select
        machine_id,
        line_id is null or line_position = max(line_position) over (partition by line_id) as is_last
    from machines_once
),

products as (
    select
        coalesce(times.line_id, '(none)') as line_id,
        times.shift_date,
        times.shift_name,
        times.shift_start_at,
        times.product_name,
        min(times.crew) as crew,
        sum(times.apt_s + times.aust_s + times.adet_s + times.adot_s) as pbt_s,
        sum(times.apt_s) as apt_s,
        sum(times.stop_count)::bigint as stop_count,
    {% for quantity in ["good", "scrap", "rework"] -%}
        sum(case when coalesce(machines.is_last, true) then times.{{ quantity }} else 0 end)::bigint as {{ quantity }}
        {{- "," if not loop.last }}
    {% endfor %}
    from {{ ref("int_machine_time") }} as times
    left join machines on times.machine_id = machines.machine_id
    where times.shift_name is not null and times.production_week_start in (select production_week_start from weeks)
    group by all
),

shifts_run as (
    select
        {{ shift }},
        min(crew) as crew,
        sum(pbt_s) as pbt_s,
        sum(apt_s) as apt_s,
        sum(stop_count)::bigint as stop_count,
        {% for quantity in ["good", "scrap", "rework"] -%}
            sum({{ quantity }})::bigint as {{ quantity }},
        {% endfor -%}
        {{ listed(
            "case when good + scrap + rework > 0 then concat(product_name, ' ', good::string, ' good'"
            ~ ", case when scrap > 0 then concat(' ', scrap::string, ' scrap') else '' end) end", "product_name"
        ) }} as ran
    from products
    group by {{ shift }}
),

ends as (
    select * from {{ ref("int_shift_end") }}
),

anomalies as (
    select * from {{ ref("int_shift_anomaly") }}
),

shifts as (
    select *
    from shifts_run
    inner join ends using ({{ shift }})
),

plans as (
    select
        line_id,
        planned_start_at,
        planned_end_at,
        planned_quantity
    from (
        select
            *,
            row_number() over (partition by record_hash order by load_id) as copy_rank
        from {{ ref("stg_production_plan") }}
    ) as copies
    where copy_rank = 1
),

-- a plan over several shifts is spread evenly over its time; one without an end belongs to the shift in which it starts
planned as (
    select
        shifts.line_id,
        shifts.shift_start_at,
        sum(plans.planned_quantity * case
            when plans.planned_end_at > plans.planned_start_at then {{ ratio(
                seconds_between(overlap_start, overlap_end),
                seconds_between("plans.planned_start_at", "plans.planned_end_at")
            ) }}
            else 1e0
        end) as planned_quantity
    from shifts
    inner join plans
        on shifts.line_id = plans.line_id
        and shifts.known_until > plans.planned_start_at
        and (
            shifts.shift_start_at <= plans.planned_start_at
            or shifts.shift_start_at < plans.planned_end_at
        )
    group by all
),

issue_events as (
    select
        *,
        lead(event_at) over (partition by issue_id order by event_at, load_id, record_hash) as next_event_at,
        lower(trim(status)) in ({{ quoted(var("closed_issue_statuses")) }}) as is_closed
    from {{ ref("stg_quality_issue") }}
),

-- an issue is a line's where its machine stands there, or where its product was made; one that names neither is
-- everyone's
issues as (
    select distinct
        shifts.line_id,
        shifts.shift_start_at,
        events.issue_id,
        concat(events.issue_id, case when events.text is not null then concat(': ', events.text) else '' end) as issue
    from shifts
    inner join issue_events as events
        on shifts.known_until > events.event_at
        and coalesce(shifts.known_until <= events.next_event_at, true)
    left join machines_once on events.machine_id = machines_once.machine_id
    left join products
        on shifts.line_id = products.line_id
        and shifts.shift_start_at = products.shift_start_at
        and events.product_name = products.product_name
    where
        not events.is_closed
        and case
            when events.machine_id is not null then coalesce(machines_once.line_id, '(none)') = shifts.line_id
            when events.product_name is not null then products.product_name is not null
            else true
        end
),

issues_open as (
    select
        line_id,
        shift_start_at,
        count(*) as open_issue_count,
        {{ listed("issue_id", "issue_id") }} as open_issue_ids,
        {{ listed("issue", "issue_id", "; ") }} as open_issues
    from issues
    group by all
),

final as (
    select
        -- keys
        {{ shift }},
        known_until,
        shift_start_local,
        shift_end_local,
        known_until_local,
        crew,

        -- what ran, against plan
        ran,
        good,
        scrap,
        rework,
        planned_quantity,
        pbt_s,
        apt_s,
        {{ ratio("apt_s", "pbt_s") }} as availability,

        -- what is open
        stop_count,
        open_stop_count,
        open_stops,
        anomaly_count,
        anomalies,
        coalesce(open_issue_count, 0) as open_issue_count,
        open_issues,
        concat(
            good::string, ' good',
            case
                when planned_quantity is not null
                    then concat(' of ', round(planned_quantity)::bigint::string, ' planned')
                else ''
            end,
            case when ran is not null then concat(': ', ran) else '' end, '.',
            case when open_stops is not null then concat(' Standing: ', open_stops, '.') else '' end,
            case when anomalies is not null then concat(' Flagged: ', anomalies, '.') else '' end,
            case when open_issue_ids is not null then concat(' Open issues: ', open_issue_ids, '.') else '' end,
            case when coalesce(open_stops, anomalies, open_issue_ids) is null then ' Nothing is open.' else '' end
        ) as next_shift_should_know
    from shifts
    left join planned using (line_id, shift_start_at)
    left join issues_open using (line_id, shift_start_at)
    left join anomalies using (line_id, shift_start_at)
)

select * from final
