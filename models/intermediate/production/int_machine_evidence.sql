-- What shows production on the days being read, and when: runs of cycles without a gap that is a stop (kind cycle), in
-- each the time from its first part to its last (part), tests, retests, count intervals and those of them of which
-- nothing is scheduled (count_outside); and from when on which product is loaded (product: until_at is when that was
-- recorded).
with

rules as (
    select {{ production_rule("state_lasts_days") }}::int as state_lasts_days
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

machines as (
    select * from {{ ref("int_machine") }}
),

cycles as (
    select
        cycles.machine_id,
        cycles.cycle_timestamp as moment,
        {{ production_date("cycles.cycle_timestamp_local") }} as production_date,
        cycles.part_present,
        cycles.product_name,
        cycles.record_hash,
        machines.busy_gap_us,
        lag(cycles.cycle_timestamp) over machine_order as previous_at,
        lag(cycles.record_hash) over machine_order as previous_hash
    from {{ ref("stg_machine_cycle") }} as cycles
    inner join machines
        on cycles.machine_id = machines.machine_id
        and cycles.cycle_timestamp <= machines.horizon_at
    cross join plant
    where {{ read_for_machine_weeks("cycles.cycle_timestamp") }}
    window machine_order as (
        partition by cycles.machine_id order by cycles.cycle_timestamp, cycles.record_hash
    )
),

-- copies of a cycle come one after the other
cycles_joined as (
    select
        *,
        coalesce({{ microseconds_between("previous_at", "moment") }} <= busy_gap_us, false) as goes_on
    from cycles
    where coalesce(previous_hash <> record_hash, true)
),

cycles_numbered as (
    select
        *,
        count(case when not goes_on then 1 end) over (
            partition by machine_id order by moment, record_hash rows between unbounded preceding and current row
        ) as run_number
    from cycles_joined
),

runs as (
    select
        machine_id,
        min(moment) as started_at,
        max(moment) as ended_at,
        min(case when part_present then moment end) as first_part_at,
        max(case when part_present then moment end) as last_part_at
    from cycles_numbered
    group by machine_id, run_number
),

products_made as (
    select
        *,
        lag(product_name) over machine_order as previous_product_name,
        lag(production_date) over machine_order as previous_date
    from cycles_joined
    where product_name is not null
    window machine_order as (partition by machine_id order by moment, record_hash)
),

tests as (
    select
        attempts.machine_id,
        attempts.test_timestamp as moment,
        least(
            {{ seconds_after("attempts.test_timestamp", "coalesce(attempts.test_duration_s, 0e0)") }},
            attempts.test_timestamp + rules.state_lasts_days * interval '1 day',
            machines.horizon_at
        ) as until_at,
        attempts.product_name,
        attempts.work_order_id,
        attempts.run_number
    from {{ ref("test_attempt") }} as attempts
    inner join machines
        on attempts.machine_id = machines.machine_id
        and attempts.test_timestamp <= machines.horizon_at
    cross join rules
    where attempts.production_date in (select production_date from {{ ref("int_machine_day_read") }})
),

counts as (
    select
        counts.machine_id,
        counts.interval_start_at as moment,
        greatest(
            counts.interval_start_at,
            least(
                counts.interval_end_at,
                counts.interval_start_at + rules.state_lasts_days * interval '1 day',
                machines.horizon_at
            )
        ) as until_at,
        counts.product_name,
        counts.work_order_id
    from {{ ref("stg_production_count") }} as counts
    inner join machines
        on counts.machine_id = machines.machine_id
        and counts.interval_start_at <= machines.horizon_at
    cross join rules
    where counts.total_count > 0 and {{ read_for_machine_weeks("counts.interval_start_at") }}
),

-- counts of whose interval some time is scheduled
counts_scheduled as (
    select distinct
        counts.machine_id,
        counts.moment,
        counts.until_at
    from counts
    inner join machines on counts.machine_id = machines.machine_id
    inner join {{ ref("int_machine_day_read") }} as days
        on counts.moment < days.day_end_at
        and counts.until_at > days.day_start_at
    inner join {{ ref("int_line_schedule") }} as schedule
        on coalesce(machines.line_id, '') = schedule.line_id
        and days.production_date = schedule.production_date
        and counts.moment < schedule.ended_at
        and counts.until_at > schedule.started_at
    where schedule.unscheduled_bucket is null
),

shown as (
    select
        machine_id,
        'cycle' as kind,
        started_at as moment,
        ended_at as until_at
    from runs
    union all
    select
        machine_id,
        'part' as kind,
        first_part_at as moment,
        last_part_at as until_at
    from runs
    where first_part_at is not null
    union all
    select
        machine_id,
        case when run_number > 1 then 'retest' else 'test' end as kind,
        moment,
        until_at
    from tests
    union all
    select
        machine_id,
        'count' as kind,
        moment,
        until_at
    from counts
    union all
    select
        counts.machine_id,
        'count_outside' as kind,
        counts.moment,
        counts.until_at
    from counts
    left join counts_scheduled
        on counts.machine_id = counts_scheduled.machine_id
        and counts.moment = counts_scheduled.moment
        and counts.until_at = counts_scheduled.until_at
    where counts_scheduled.machine_id is null
),

products as (
    select
        machine_id,
        -- the cycle that ended then made it
        case when goes_on then previous_at else moment end as moment,
        moment as recorded_at,
        product_name,
        null::string as work_order_id
    from products_made
    where
        coalesce(previous_product_name <> product_name, true)
        or not goes_on
        or previous_date <> production_date
    union all
    select
        machine_id,
        moment,
        moment as recorded_at,
        product_name,
        work_order_id
    from tests
    union all
    select
        machine_id,
        moment,
        moment as recorded_at,
        product_name,
        work_order_id
    from counts
),

products_ranked as (
    select
        *,
        row_number() over (
            partition by machine_id, moment
            order by recorded_at desc, product_name desc, work_order_id desc nulls last
        ) as product_rank
    from products
),

final as (
    select
        machine_id,
        kind,
        moment,
        until_at,
        null::string as product_name,
        null::string as work_order_id
    from shown
    union all
    select
        machine_id,
        'product' as kind,
        moment,
        recorded_at as until_at,
        product_name,
        work_order_id
    from products_ranked
    where product_rank = 1
)

select * from final
