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
        lower(trim(reason_code)) as reason_code,
        min_by(description, line_number) filter (where description is not null) as description,
        min_by(loss_class, line_number) filter (where loss_class is not null) as loss_class
    from {{ ref("stg_ref_downtime_reasons") }}
    group by lower(trim(reason_code))
),

parts as (
    select
        production_week_start,
        machine_id,
        line_id,
        shift_name,
        time_group,
        bucket,
        reason_code,
        duration_us,
        0 as stop_count,
        0 as failure_count
    from intervals
    union all
    -- at their begin
    select
        production_week_start,
        machine_id,
        line_id,
        shift_name,
        time_group,
        bucket,
        reason_code,
        0 as duration_us,
        1 as stop_count,
        is_failure::int as failure_count
    from {{ ref("stop") }}
    where not is_continued and {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

final as (
    select
        parts.production_week_start,
        parts.machine_id,
        parts.line_id,
        coalesce(parts.shift_name, '(none)') as shift_name,
        parts.time_group,
        parts.bucket,
        coalesce(parts.reason_code, '(none)') as reason_code,
        max(reasons.description) as reason,
        max(coalesce(reasons.loss_class, buckets.loss_class)) as loss_class,
        sum(parts.duration_us)::bigint / 1e6 as duration_s,
        sum(parts.stop_count)::bigint as stop_count,
        sum(parts.failure_count)::bigint as failure_count
    from parts
    inner join buckets on parts.bucket = buckets.bucket
    left join reasons on lower(trim(parts.reason_code)) = reasons.reason_code
    where buckets.is_loss or parts.time_group <> 'APT'
    group by
        parts.production_week_start,
        parts.machine_id,
        parts.line_id,
        coalesce(parts.shift_name, '(none)'),
        parts.time_group,
        parts.bucket,
        coalesce(parts.reason_code, '(none)')
)

select * from final
