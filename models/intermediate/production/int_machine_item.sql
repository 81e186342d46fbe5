-- What was made at one moment, on the days being read: cycles, tests, and counts without an interval, each where the
-- machine's time says it was. A part whose serial number was at the machine within rework_is_repeat_in_days is rework;
-- so is a test of a unit that has to come again, and one that came again. A tester makes no scrap.
{{ config(materialized="view") }}

{% set keys = [
    "machine_id", "line_id", "production_date", "production_week_start", "shift_date", "shift_name", "crew",
    "shift_start_at", "shift_phase", "hour_local",
] %}

with

rules as (
    select {{ production_rule("rework_is_repeat_in_days") }}::int as rework_is_repeat_in_days
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

machines as (
    select * from {{ ref("int_machine") }}
),

days_read as (
    select * from {{ ref("int_machine_day_read") }}
),

intervals as (
    select *
    from {{ ref("int_machine_interval") }}
    where production_date in (select production_date from days_read)
),

cycles as (
    select
        cycles.machine_id,
        cycles.cycle_timestamp as moment,
        cycles.product_name,
        cycles.serial_num,
        cycles.part_present,
        {{ production_date("cycles.cycle_timestamp_local") }} as production_date,
        cycles.record_hash,
        row_number() over (
            partition by cycles.machine_id, cycles.cycle_timestamp, cycles.record_hash order by cycles.load_id
        ) as copy_rank
    from {{ ref("stg_machine_cycle") }} as cycles
    inner join machines
        on cycles.machine_id = machines.machine_id
        and cycles.cycle_timestamp <= machines.horizon_at
    cross join plant
    where {{ read_for_machine_weeks("cycles.cycle_timestamp") }}
),

passes as (
    select
        cycles.*,
        lag(cycles.production_date) over (
            partition by cycles.machine_id, cycles.serial_num, cycles.part_present
            order by cycles.moment, cycles.record_hash
        ) as previous_date
    from cycles
    where cycles.copy_rank = 1
),

-- what happens at one moment
items as (
    select
        passes.machine_id,
        passes.moment,
        passes.product_name,
        null::string as work_order_id,
        (passes.part_present and not coalesce(
            passes.serial_num is not null
            and passes.previous_date
            > (passes.production_date - rules.rework_is_repeat_in_days * interval '1 day')::date,
            false
        ))::bigint as good,
        0::bigint as scrap,
        (passes.part_present and coalesce(
            passes.serial_num is not null
            and passes.previous_date
            > (passes.production_date - rules.rework_is_repeat_in_days * interval '1 day')::date,
            false
        ))::bigint as rework,
        1::bigint as cycle_count,
        0e0 as retest_s
    from passes
    cross join rules
    union all
    select
        attempts.machine_id,
        attempts.test_timestamp as moment,
        attempts.product_name,
        attempts.work_order_id,
        coalesce(attempts.run_number = 1 and attempts.test_result = 'pass', false)::bigint as good,
        0::bigint as scrap,
        coalesce(attempts.run_number > 1 or attempts.test_result = 'fail', false)::bigint
        * (attempts.run_number is not null)::bigint as rework,
        0::bigint as cycle_count,
        case when attempts.run_number > 1 then coalesce(attempts.test_duration_s, 0e0) else 0e0 end as retest_s
    from {{ ref("test_attempt") }} as attempts
    inner join machines
        on attempts.machine_id = machines.machine_id
        and attempts.test_timestamp <= machines.horizon_at
    where attempts.production_date in (select production_date from days_read)
    union all
    select
        machine_id,
        started_at as moment,
        product_name,
        work_order_id,
        good,
        scrap,
        rework,
        0::bigint as cycle_count,
        0e0 as retest_s
    from {{ ref("int_production_count_deduplicated") }}
    where ended_at = started_at
),

-- each finds the interval that it lies in
placed as (
    select
        machine_id,
        moment,
        max(interval_at) over (
            partition by machine_id order by moment range between unbounded preceding and current row
        ) as interval_at,
        product_name,
        work_order_id,
        good,
        scrap,
        rework,
        cycle_count,
        retest_s,
        is_item
    from (
        select
            *,
            null::timestamp as interval_at,
            true as is_item
        from items
        union all
        select
            machine_id,
            started_at as moment,
            null::string as product_name,
            null::string as work_order_id,
            null::bigint as good,
            null::bigint as scrap,
            null::bigint as rework,
            null::bigint as cycle_count,
            null::double as retest_s,
            started_at as interval_at,
            false as is_item
        from intervals
    ) as moments
),

final as (
    select
        {% for key in keys -%}
            intervals.{{ key }},
        {% endfor -%}
        coalesce(placed.product_name, intervals.product_name) as product_name,
        coalesce(placed.work_order_id, intervals.work_order_id) as work_order_id,
        sum(placed.good)::bigint as good,
        sum(placed.scrap)::bigint as scrap,
        sum(placed.rework)::bigint as rework,
        sum(placed.cycle_count)::bigint as cycle_count,
        sum(placed.retest_s) as retest_s
    from placed
    inner join intervals
        on placed.machine_id = intervals.machine_id
        and placed.interval_at = intervals.started_at
        and placed.moment < intervals.ended_at
    where placed.is_item
    group by all
)

select * from final
