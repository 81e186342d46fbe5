-- One row per machine that machines.csv or a record names. first_date: first production day that its time is told of;
-- where it has no record, the plant's first. horizon_at: until when anything is known of the plant.
with

lines_ranked as (
    select
        *,
        row_number() over (partition by machine_id order by line_number) as line_rank
    from {{ ref("stg_ref_machines") }}
),

records as (
    select
        index_rows.machine_id,
        index_rows.first_date,
        index_rows.last_at
    from {{ ref("int_machine_week") }} as index_rows
    inner join {{ ref("stg_load") }} as loads on index_rows.load_id = loads.load_id
    where loads.status = 'loaded'
),

plant as (
    select
        min(first_date) as first_date,
        max(last_at) as horizon_at
    from records
),

-- days before the calendar (a clock that was wrong once) are told of nowhere
calendar as (
    select min(production_date) as first_date from {{ ref("stg_calendar_day") }}
),

machines as (
    select
        machine_id,
        min(first_date) as first_date
    from records
    group by machine_id
),

own_calendars as (
    select distinct line_id from {{ ref("stg_calendar_shift") }}
),

own_classes as (
    select
        machine_id,
        min(longer_than_us) as busy_gap_us
    from {{ ref("int_stop_class") }}
    group by machine_id
),

final as (
    select
        coalesce(lines_ranked.machine_id, machines.machine_id) as machine_id,
        lines_ranked.line_id,
        -- '' where it has no calendar of its own
        coalesce(own_calendars.line_id, '') as calendar_line_id,
        coalesce(own_classes.machine_id, '') as stop_class_machine_id,
        coalesce(own_classes.busy_gap_us, any_class.busy_gap_us) as busy_gap_us,
        greatest(coalesce(machines.first_date, plant.first_date), calendar.first_date) as first_date,
        plant.horizon_at
    from (select * from lines_ranked where line_rank = 1) as lines_ranked
    full outer join machines on lines_ranked.machine_id = machines.machine_id
    cross join plant
    cross join calendar
    left join own_calendars on lines_ranked.line_id = own_calendars.line_id
    left join own_classes on coalesce(lines_ranked.machine_id, machines.machine_id) = own_classes.machine_id
    left join own_classes as any_class on any_class.machine_id = ''
    where plant.horizon_at is not null
)

select * from final
