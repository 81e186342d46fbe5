{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks() }}",
) }}

with

parts as (
    select * from {{ ref("int_station_day") }} where {{ in_touched_weeks("production_week_start") }}
),

final as (
    select
        production_date,
        production_week_start,
        machine_id,
        product_name,
        test_name,
        {% for part in [
            "attempt_count", "pass_count", "error_count", "abort_count", "other_purpose_count", "first_run_count",
            "first_run_pass_count", "pass_duration_count",
        ] -%}
            sum({{ part }})::bigint as {{ part }},
        {% endfor -%}
        sum(pass_duration_sum_s) as pass_duration_sum_s,
        sum(fail_duration_count)::bigint as fail_duration_count,
        sum(fail_duration_sum_s) as fail_duration_sum_s
    from parts
    group by all
)

select * from final
