{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks() }}",
) }}

with

attempts as (
    select * from {{ ref("test_attempt") }} where {{ in_touched_weeks("production_week_start") }}
),

final as (
    select
        production_date,
        production_week_start,
        machine_id,
        product_name,
        test_name,
        count(run_number) as attempt_count,
        count(*) filter (where run_number > 0 and test_result = 'pass') as pass_count,
        count(*) filter (where run_purpose = 'production' and test_result = 'error') as error_count,
        count(*) filter (where run_purpose = 'production' and test_result = 'abort') as abort_count,
        count(*) filter (where run_purpose <> 'production') as other_purpose_count,
        count(*) filter (where run_number = 1) as first_run_count,
        count(*) filter (where run_number = 1 and test_result = 'pass') as first_run_pass_count,
        {{ duration_parts("run_number > 0") }}
    from attempts
    group by all
)

select * from final
