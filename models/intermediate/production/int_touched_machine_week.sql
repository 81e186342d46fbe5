-- Production weeks in which a machine's time, output or product may look different since the last green build. A record
-- is believed for state_lasts_days, a stop reaches back as long, and the product that is set up is the next one.
with

rules as (
    select {{ production_rule("state_lasts_days") }}::int as state_lasts_days
),

records as (
    select
        index_rows.*,
        loads.is_new
    from {{ ref("int_machine_week") }} as index_rows
    inner join {{ ref("stg_load") }} as loads on index_rows.load_id = loads.load_id
    where loads.status = 'loaded'
),

plant as (
    select
        min(first_date) as first_date,
        max(last_at) as horizon_at,
        max(case when not is_new then last_at end) as known_horizon_at
    from records
),

days as (
    select * from {{ ref("stg_calendar_day") }}
),

horizon as (
    select
        max(plant.first_date) as first_date,
        max(case when days.day_start_at <= plant.horizon_at then days.production_date end) as last_date,
        max(case when days.day_start_at <= plant.known_horizon_at then days.production_date end) as known_last_date,
        bool_or(plant.horizon_at > plant.known_horizon_at) as has_moved
    from days
    cross join plant
),

machines as (
    select
        machine_id,
        min(first_date) as first_date,
        min(case when not is_new then first_date end) as known_first_date
    from records
    group by machine_id
),

listed as (
    select distinct machine_id from {{ ref("stg_ref_machines") }}
),

-- orders whose product may not be what it was
orders as (
    select work_order_id
    from {{ ref("stg_work_order") }}
    group by work_order_id
    having bool_or(is_new) and (bool_and(is_new) or count(distinct product_name) > 1)
),

spans as (
    select
        min(first_date) as first_date,
        max(last_date) as last_date
    from records
    where is_new
    group by production_week_start
    union all
    select
        {{ production_date("jobs.start_at_local") }} as first_date,
        {{ production_date("jobs.end_at_local") }} as last_date
    from {{ ref("stg_maintenance") }} as jobs
    cross join {{ ref("stg_ref_plant") }} as plant
    where jobs.is_new
    union all
    select
        {{ production_date("changes.start_at_local") }} as first_date,
        {{ production_date("changes.end_at_local") }} as last_date
    from {{ ref("stg_schedule_change") }} as changes
    cross join {{ ref("stg_ref_plant") }} as plant
    where changes.is_new
    union all
    select
        min(states.state_start_at_local)::date as first_date,
        max(states.state_start_at_local)::date as last_date
    from {{ ref("stg_machine_state") }} as states
    inner join orders on states.work_order_id = orders.work_order_id
    group by date_trunc('week', states.state_start_at_local)
    union all
    -- all are known until the horizon
    select
        known_last_date as first_date,
        last_date
    from horizon
    where has_moved
    union all
    -- before its first record there was no data, or nothing at all
    select
        case
            when machines.known_first_date is null and listed.machine_id is not null then horizon.first_date
            else machines.first_date
        end as first_date,
        coalesce(machines.known_first_date, horizon.last_date) as last_date
    from machines
    left join listed on machines.machine_id = listed.machine_id
    cross join horizon
    where machines.known_first_date is null or machines.first_date < machines.known_first_date
),

weeks as (
    select
        date_trunc('week', days.production_date)::date as week_start,
        max(days.production_date) as last_date
    from days
    cross join horizon
    where
        days.production_date >= date_trunc('week', horizon.first_date)::date
        and days.production_date <= horizon.last_date
    group by date_trunc('week', days.production_date)::date
),

reaching as (
    select distinct
        (spans.first_date - rules.state_lasts_days * interval '1 day')::date as first_date,
        (spans.last_date + 2 * rules.state_lasts_days * interval '1 day')::date as last_date
    from spans
    cross join rules
),

final as (
    select weeks.week_start
    from weeks
    inner join reaching on weeks.week_start <= reaching.last_date and weeks.last_date >= reaching.first_date
    union
    -- tests of a module that became retests, or are none any more
    select touched.week_start
    from {{ ref("int_touched_week") }} as touched
    inner join weeks on touched.week_start = weeks.week_start
)

select * from final where {{ is_open("week_start") }}
