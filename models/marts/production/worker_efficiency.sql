-- People are present while the shift lasts, but for its breaks, and work while the constraint machine of their line
-- executes orders. Of several staffing records about a line and shift the one with the highest hash counts.
with

staffing_ranked as (
    select
        *,
        row_number() over (
            partition by shift_date, shift_name, line_id order by record_hash desc
        ) as copy_rank
    from {{ ref("stg_staffing") }}
),

spans as (
    select
        *,
        {{ seconds_between("shift_start_at", "shift_end_at") }} as span_s
    from {{ ref("stg_calendar_shift") }}
),

shifts as (
    select
        line_id,
        shift_date,
        shift_name,
        sum(case when kind = 'break' then -1e0 * span_s else span_s end) as shift_s
    from spans
    group by all
),

-- a line without a pattern of its own has that of the plant
lines as (
    select distinct line_id from shifts
),

constraints as (
    select * from {{ ref("int_line_machine") }} where is_constraint
),

busy as (
    select
        times.line_id,
        times.shift_date,
        times.shift_name,
        {{ ratio("sum(times.aubt_s)", "count(distinct times.machine_id)") }} as busy_s
    from {{ ref("oee_by_machine_shift") }} as times
    inner join constraints on times.machine_id = constraints.machine_id
    where times.shift_name is not null
    group by all
),

joined as (
    select
        staffing.shift_date,
        staffing.shift_name,
        staffing.line_id,
        staffing.headcount,
        staffing.planned_headcount,
        shifts.shift_s,
        staffing.headcount * shifts.shift_s as apat_s,
        staffing.headcount * busy.busy_s as apwt_s
    from staffing_ranked as staffing
    left join lines on staffing.line_id = lines.line_id
    left join shifts
        on coalesce(lines.line_id, '') = shifts.line_id
        and staffing.shift_date = shifts.shift_date
        and staffing.shift_name = shifts.shift_name
    left join busy
        on staffing.line_id = busy.line_id
        and staffing.shift_date = busy.shift_date
        and staffing.shift_name = busy.shift_name
    where staffing.copy_rank = 1
),

final as (
    select
        *,
        {{ ratio("apwt_s", "apat_s") }} as worker_efficiency
    from joined
)

select * from final
