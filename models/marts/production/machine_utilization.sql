{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

with

hours as (
    select *
    from {{ ref("production_rate") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

summed as (
    select
        production_date,
        production_week_start,
        machine_id,
        line_id,
        hour_local,
        round(sum(calendar_s), 6) as calendar_s,
        round(sum(apt_s + aust_s + adet_s + adot_s), 6) as pbt_s,
        round(sum(apt_s + aust_s + adet_s), 6) as aubt_s,
        round(sum(apt_s), 6) as apt_s,
        sum(produced)::bigint as produced
    from hours
    group by all
),

final as (
    select
        *,
        {{ ratio("aubt_s", "pbt_s") }} as utilization,
        {{ ratio("apt_s", "aubt_s") }} as utilization_efficiency,
        {{ ratio("apt_s", "pbt_s") }} as availability
    from summed
)

select * from final
