{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

with

times as (
    select *
    from {{ ref("int_machine_time") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

summed as (
    select
        production_week_start,
        machine_id,
        line_id,
        coalesce(shift_name, '(none)') as shift_name,
        round(sum(apt_s), 6) as apt_s,
        coalesce(sum(failure_count), 0)::bigint as failure_count,
        round(sum(repair_s), 6) as repair_s
    from times
    group by all
),

final as (
    select
        production_week_start,
        machine_id,
        line_id,
        shift_name,
        apt_s,
        failure_count,
        repair_s,
        {{ ratio("apt_s", "failure_count") }} as mtbf_s,
        {{ ratio("apt_s", "failure_count + 1") }} as mtbf_iso_s,
        -- 2.996 = -ln(0.05): with so many failures expected, none at all is seen in 5 of 100 cases
        case when failure_count = 0 then apt_s / 2.996e0 end as mtbf_low_s,
        {{ ratio("repair_s", "failure_count") }} as mttr_s
    from summed
)

select * from final
