-- One row per bucket of time: those of every plant and the plant's own, with the group of time that it counts as here.
{{ config(materialized="view") }}

with

buckets as (
    select * from {{ ref("const_time_bucket") }}
),

own as (
    select
        lower(trim(bucket)) as bucket,
        min_by(counts_as, line_number) as counts_as
    from {{ ref("stg_ref_time_buckets") }}
    group by lower(trim(bucket))
),

final as (
    select
        coalesce(buckets.bucket, own.bucket) as bucket,
        buckets.iso_name,
        coalesce(
            own.counts_as,
            -- busy time from the first part to the last: what lies outside is nobody's loss
            case
                when
                    buckets.bucket in ('late_start', 'early_end')
                    and {{ production_rule("busy_window_first_to_last") }} = 1
                    then 'unscheduled'
            end,
            buckets.time_group
        ) as time_group,
        coalesce(buckets.is_loss, own.counts_as in ('AUST', 'ADET', 'ADOT')) as is_loss,
        buckets.loss_class,
        buckets.description
    from buckets
    full outer join own on buckets.bucket = own.bucket
)

select * from final
