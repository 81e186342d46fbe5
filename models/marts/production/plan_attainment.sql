-- The plan is summed by station, product and hour before it meets what was made: joined line by line, each unit would
-- count once per line of the plan. A plan over several hours is spread evenly over them (31 days at most); one without
-- an end belongs to the hour in which it starts. A station is a line, whose last machine counts, or a machine.
with

plans_ranked as (
    select
        *,
        row_number() over (partition by record_hash order by load_id) as copy_rank
    from {{ ref("stg_production_plan") }}
),

plans as (
    select
        line_id,
        product_name,
        shift_name,
        planned_quantity,
        planned_start_at_local as starts_at,
        least(
            greatest(coalesce(planned_end_at_local, planned_start_at_local), planned_start_at_local),
            planned_start_at_local + interval '31 days'
        ) as ends_at,
        date_trunc('hour', planned_start_at_local)::timestamp as first_hour
    from plans_ranked
    where copy_rank = 1
),

digits (digit) as (
    values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)
),

hours as (
    select hundreds.digit * 100 + tens.digit * 10 + ones.digit as n
    from digits as hundreds
    cross join digits as tens
    cross join digits as ones
),

plans_by_hour as (
    select
        line_id,
        product_name,
        shift_name,
        first_hour as hour_local,
        planned_quantity
    from plans
    where ends_at <= first_hour + interval '1 hour'
    union all
    select
        plans.line_id,
        plans.product_name,
        plans.shift_name,
        plans.first_hour + hours.n * interval '1 hour' as hour_local,
        plans.planned_quantity * {{ ratio(
            seconds_between(
                "greatest(plans.starts_at, plans.first_hour + hours.n * interval '1 hour')",
                "least(plans.ends_at, plans.first_hour + (hours.n + 1) * interval '1 hour')"
            ),
            seconds_between("plans.starts_at", "plans.ends_at")
        ) }} as planned_quantity
    from plans
    inner join hours on plans.first_hour + hours.n * interval '1 hour' < plans.ends_at
    where plans.ends_at > plans.first_hour + interval '1 hour'
),

planned as (
    select
        line_id,
        product_name,
        hour_local,
        min(shift_name) as shift_name,
        sum(planned_quantity) as planned_quantity
    from plans_by_hour
    group by all
),

outputs as (
    select * from {{ ref("int_machine_output") }}
),

machines as (
    select distinct machine_id from outputs
),

stations as (
    select
        machine_id as line_id,
        machine_id
    from machines
    union
    select
        line_id,
        machine_id
    from {{ ref("int_line_machine") }}
    where is_last
),

days_planned as (
    select distinct
        line_id,
        hour_local::date as day
    from planned
),

made as (
    select
        stations.line_id,
        outputs.product_name,
        outputs.hour_local,
        min(outputs.shift_name) as shift_name,
        sum(outputs.good)::bigint as actual_quantity
    from outputs
    inner join stations on outputs.machine_id = stations.machine_id
    inner join days_planned
        on stations.line_id = days_planned.line_id
        and outputs.hour_local::date = days_planned.day
    where outputs.good > 0
    group by stations.line_id, outputs.product_name, outputs.hour_local
),

horizon as (
    select max(hour_local) as last_hour from outputs
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

joined as (
    select
        line_id,
        product_name,
        hour_local,
        coalesce(planned.shift_name, made.shift_name) as shift_name,
        coalesce(planned.planned_quantity, 0e0) as planned_quantity,
        coalesce(made.actual_quantity, 0)::bigint as actual_quantity
    from planned
    full outer join made using (line_id, product_name, hour_local)
),

final as (
    select
        {{ production_date("joined.hour_local") }} as production_date,
        date_trunc('week', {{ production_date("joined.hour_local") }})::date as production_week_start,
        joined.*,
        least(joined.planned_quantity, joined.actual_quantity::double) as attained_quantity,
        coalesce(joined.hour_local <= horizon.last_hour, false) as is_due,
        {{ ratio("least(joined.planned_quantity, joined.actual_quantity::double)", "joined.planned_quantity") }}
            as plan_attainment,
        {{ ratio("joined.actual_quantity", "joined.planned_quantity") }} as netted_attainment
    from joined
    cross join horizon
    cross join plant
)

select * from final
