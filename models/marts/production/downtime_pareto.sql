{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

with

intervals as (
    select *
    from {{ ref("int_machine_interval") }}
    where
        time_group not in ('unscheduled', 'no_data')
        and {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

buckets as (
    select * from {{ ref("int_time_bucket") }}
),

reasons as (
    select
        reason_code,
        min_by(description, line_number) as description,
        min_by(loss_class, line_number) as loss_class
    from {{ ref("stg_ref_downtime_reasons") }}
    group by reason_code
),

final as (
    select
        intervals.production_week_start,
        intervals.machine_id,
        intervals.line_id,
        coalesce(intervals.shift_name, '(none)') as shift_name,
        intervals.time_group,
        intervals.bucket,
        coalesce(intervals.reason_code, '(none)') as reason_code,
        reasons.description as reason,
        coalesce(reasons.loss_class, buckets.loss_class) as loss_class,
        sum(intervals.duration_us)::bigint / 1e6 as duration_s,
        -- at their begin
        count(*) filter (where intervals.stop_started_at = intervals.started_at) as stop_count,
        count(*) filter (where intervals.stop_started_at = intervals.started_at and intervals.is_failure)
            as failure_count
    from intervals
    inner join buckets on intervals.bucket = buckets.bucket
    left join reasons on intervals.reason_code = reasons.reason_code
    where buckets.is_loss or intervals.time_group <> 'APT'
    group by all
)

select * from final
