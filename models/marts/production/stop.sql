{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_stop_week') }}",
) }}

with

rules as (
    select {{ production_rule("state_lasts_days") }}::int as state_lasts_days
),

{% if is_incremental() %}
    -- as far as the stops of the weeks being written reach, and seven days around
    weeks_read as (
        select distinct weeks.production_week_start
        from (select distinct production_week_start from {{ ref("int_machine_interval") }}) as weeks
        cross join rules
        inner join {{ ref("int_touched_stop_week") }} as touched
            on weeks.production_week_start + interval '7 days' >= touched.week_start
            and weeks.production_week_start - (rules.state_lasts_days + 13) * interval '1 day' <= touched.week_start
    ),
{% endif %}

intervals as (
    select *
    from {{ ref("int_machine_interval") }}
    {% if is_incremental() %}
        where production_week_start in (select production_week_start from weeks_read)
    {% endif %}
),

machines as (
    select * from {{ ref("int_machine") }}
),

-- no further back a stop of the week is looked for
bounds as (
    select
        date_trunc('week', days.production_date)::date as week_start,
        min(days.day_start_at) - max(rules.state_lasts_days) * interval '1 day' as looks_back_to
    from {{ ref("stg_calendar_day") }} as days
    cross join rules
    group by date_trunc('week', days.production_date)::date
),

reasons as (
    select
        lower(trim(reason_code)) as reason_code,
        min_by(description, line_number) as description
    from {{ ref("stg_ref_downtime_reasons") }}
    where description is not null
    group by lower(trim(reason_code))
),

surrounded as (
    select
        machine_id,
        stop_started_at,
        started_at,
        ended_at,
        duration_us,
        lag(bucket) over machine as bucket_before,
        lead(bucket) over machine as bucket_after,
        max(case when product_name <> '(none)' then started_at end) over (
            partition by machine_id order by started_at
            rows between unbounded preceding and 1 preceding
        ) as product_before_at,
        min(case when product_name <> '(none)' then started_at end) over (
            partition by machine_id order by started_at desc
            rows between unbounded preceding and 1 preceding
        ) as product_after_at
    from intervals
    window machine as (partition by machine_id order by started_at)
),

-- each later piece of a stop looks back less far, and further ahead
wholes as (
    select
        machine_id,
        stop_started_at,
        min(started_at) as first_started_at,
        max(ended_at) as stop_ended_at,
        sum(duration_us)::bigint / 1e6 as duration_s,
        min_by(coalesce(bucket_before, ''), started_at) as bucket_before,
        max_by(coalesce(bucket_after, ''), started_at) as bucket_after,
        min(coalesce(product_before_at, timestamp '1000-01-01')) as product_before_at,
        max(coalesce(product_after_at, timestamp '9999-01-01')) as product_after_at
    from surrounded
    where stop_started_at is not null
    group by machine_id, stop_started_at
),

-- of what ran before and after, only what is near; asked here, not where it is joined: an outer join with a condition
-- on one side alone compares all rows with all
stops as (
    select
        first_pieces.*,
        wholes.stop_ended_at,
        wholes.duration_s as stop_s,
        nullif(wholes.bucket_before, '') as stop_bucket_before,
        nullif(wholes.bucket_after, '') as stop_bucket_after,
        case
            when wholes.product_before_at >= wholes.stop_started_at - interval '7 days' then wholes.product_before_at
        end as product_before_at,
        case
            when wholes.product_after_at < wholes.stop_ended_at + interval '7 days' then wholes.product_after_at
        end as product_after_at
    from intervals as first_pieces
    inner join wholes
        on first_pieces.machine_id = wholes.machine_id
        and first_pieces.started_at = wholes.first_started_at
    where {{ in_touched_weeks("first_pieces.production_week_start", "int_touched_stop_week") }}
),

final as (
    select
        -- keys
        stops.machine_id,
        stops.stop_started_at,
        stops.stop_ended_at,
        stops.started_at_local as lost_from_local,
        stops.line_id,

        -- calendar, at its begin
        stops.production_date,
        stops.production_week_start,
        stops.shift_date,
        stops.shift_name,
        stops.crew,
        stops.shift_phase,

        -- stop
        stops.time_group,
        stops.bucket,
        stops.stop_class,
        stops.reason_code,
        reasons.description as reason,
        coalesce(stops.is_failure, false) as is_failure,
        stops.stop_s as duration_s,
        stops.stop_started_at <= bounds.looks_back_to as is_continued,
        coalesce(stops.stop_ended_at >= machines.horizon_at, false) as is_open,

        -- around it
        stops.product_name,
        stops.work_order_id,
        stops.stop_bucket_before as bucket_before,
        stops.stop_bucket_after as bucket_after,
        before.product_name as product_before,
        after.product_name as product_after
    from stops
    inner join bounds on stops.production_week_start = bounds.week_start
    left join machines on stops.machine_id = machines.machine_id
    left join reasons on lower(trim(stops.reason_code)) = reasons.reason_code
    left join intervals as before
        on stops.machine_id = before.machine_id
        and stops.product_before_at = before.started_at
    left join intervals as after
        on stops.machine_id = after.machine_id
        and stops.product_after_at = after.started_at
)

select * from final
