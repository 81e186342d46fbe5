-- States of the days being read, one row per machine and start; of those that start together the one with the highest
-- hash holds. A state lasts until the next, is believed for state_lasts_days, and never beyond what is known of the
-- plant. run_started_at: since when the machine has said the same without a pause.
with

rules as (
    select {{ production_rule("state_lasts_days") }}::int as state_lasts_days
),

buckets as (
    select * from {{ ref("int_time_bucket") }}
),

-- what a plant says wins over what is known of every plant
words as (
    select
        words.state,
        words.reason_code,
        words.bucket
    from (
        select
            lower(trim(state)) as state,
            lower(trim(reason_code)) as reason_code,
            lower(trim(bucket)) as bucket,
            row_number() over (
                partition by lower(trim(state)), lower(trim(reason_code)) order by line_number
            ) as line_rank
        from {{ ref("stg_ref_machine_states") }}
    ) as words
    inner join buckets on words.bucket = buckets.bucket
    where words.line_rank = 1
),

reasons as (
    select
        lower(trim(reasons.reason_code)) as reason_code,
        reasons.is_failure,
        buckets.bucket
    from (
        select
            *,
            row_number() over (partition by lower(trim(reason_code)) order by line_number) as line_rank
        from {{ ref("stg_ref_downtime_reasons") }}
    ) as reasons
    left join buckets on lower(trim(reasons.bucket)) = buckets.bucket
    where reasons.line_rank = 1
),

orders as (
    select
        work_order_id,
        product_name
    from (
        select
            *,
            row_number() over (partition by work_order_id order by updated_at desc, record_hash desc) as version_rank
        from {{ ref("stg_work_order") }}
    ) as versions
    where version_rank = 1
),

machines as (
    select * from {{ ref("int_machine") }}
),

changes as (
    select
        states.machine_id,
        states.state_start_at,
        states.state,
        states.reason_code,
        states.work_order_id,
        machines.horizon_at,
        lead(states.state_start_at) over (
            partition by states.machine_id order by states.state_start_at, states.record_hash
        ) as next_start_at
    from {{ ref("stg_machine_state") }} as states
    inner join machines
        on states.machine_id = machines.machine_id
        and states.state_start_at <= machines.horizon_at
    where {{ read_for_machine_weeks("states.state_start_at") }}
),

meant as (
    select
        changes.machine_id,
        changes.state_start_at,
        least(
            coalesce(changes.next_start_at, changes.horizon_at),
            changes.state_start_at + rules.state_lasts_days * interval '1 day'
        ) as believed_until,
        coalesce(changes.next_start_at, changes.horizon_at) as next_start_at,
        changes.state,
        changes.reason_code,
        changes.work_order_id,
        orders.product_name,
        coalesce(own_pair.bucket, reasons.bucket, own_word.bucket, known.bucket) as known_bucket,
        reasons.is_failure,
        reasons.reason_code is not null as is_known_reason
    from changes
    cross join rules
    left join words as own_pair
        on lower(trim(changes.state)) = own_pair.state
        and lower(trim(changes.reason_code)) = own_pair.reason_code
    left join reasons on lower(trim(changes.reason_code)) = reasons.reason_code
    left join words as own_word
        on lower(trim(changes.state)) = own_word.state
        and own_word.reason_code is null
    left join {{ ref("const_machine_state") }} as known on lower(trim(changes.state)) = known.state
    left join orders on changes.work_order_id = orders.work_order_id
    where coalesce(changes.next_start_at > changes.state_start_at, true)
),

said as (
    select
        *,
        coalesce(known_bucket, 'interruption') as bucket,
        concat(coalesce(known_bucket, 'interruption'), chr(31), coalesce(lower(trim(reason_code)), '')) as saying
    from meant
),

compared as (
    select
        *,
        coalesce(
            lag(saying) over machine_order = saying and lag(believed_until) over machine_order = state_start_at, false
        ) as is_repeat
    from said
    window machine_order as (partition by machine_id order by state_start_at)
),

final as (
    select
        compared.machine_id,
        compared.state_start_at,
        compared.believed_until,
        compared.believed_until < compared.next_start_at as ends_alone,
        max(case when not compared.is_repeat then compared.state_start_at end) over (
            partition by compared.machine_id
            order by compared.state_start_at rows between unbounded preceding and current row
        ) as run_started_at,
        compared.state,
        compared.bucket,
        buckets.time_group,
        compared.known_bucket is not null as is_known,
        compared.reason_code,
        compared.is_known_reason,
        coalesce(compared.is_failure, compared.bucket = 'malfunction') as is_failure,
        compared.work_order_id,
        compared.product_name
    from compared
    inner join buckets on compared.bucket = buckets.bucket
)

select * from final
