-- station_day by load week of the modules as well: its parts, which outlive the attempts of a closed load week.
{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    pre_hook="{{ clear_touched_weeks() }}",
) }}

with

attempts as (
    select * from {{ ref("test_attempt") }} where {{ in_touched_weeks("load_week_start") }}
),

final as (
    select
        load_week_start,
        production_date,
        production_week_start,
        machine_id,
        product_name,
        test_name,
        sum(copy_count)::bigint as record_count,
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
