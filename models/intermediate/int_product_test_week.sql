-- One row per load week, product and test: the additive parts of the yields and of the findings on records.
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
        load_week,
        load_week_start,
        product_name,
        test_name,

        -- modules
        count(*) filter (where run_number = 1) as load_qty,
        count(*) filter (where run_number = 1 and test_result = 'pass') as first_pass_qty,
        count(*) filter (where is_last_run and test_result = 'pass') as cumm_pass_qty,
        sum(attempt_number) filter (where run_number = 1)::bigint as first_attempt_number_sum,
        count(*) filter (where run_number = 2) as retest_module_qty,
        count(*) filter (where is_last_run and run_number > 1 and test_result = 'pass') as retest_pass_qty,

        -- attempts
        count(run_number) as test_qty,
        count(*) filter (where run_number > 0 and test_result = 'pass') as test_qty_pass,
        {{ duration_parts("run_number > 0") }},

        -- findings
        count(*) as attempt_qty,
        sum(copy_count - 1)::bigint as duplicate_qty,
        min(serial_num) filter (where copy_count > 1) as duplicate_example,
        count(*) filter (where is_conflict) as conflict_qty,
        min(serial_num) filter (where is_conflict) as conflict_example,
        count(*) filter (where record_flags like '%repeated_hour%') as repeated_hour_qty,
        min(serial_num) filter (where record_flags like '%repeated_hour%') as repeated_hour_example,
        count(*) filter (where record_flags like '%missing_hour%') as missing_hour_qty,
        min(serial_num) filter (where record_flags like '%missing_hour%') as missing_hour_example,
        count(*) filter (where record_flags like '%future%') as future_qty,
        min(serial_num) filter (where record_flags like '%future%') as future_example,
        count(*) filter (where run_purpose not in ({{ quoted(var('run_purposes')) }})) as unknown_purpose_qty,
        min(run_purpose) filter (where run_purpose not in ({{ quoted(var('run_purposes')) }}))
            as unknown_purpose_example
    from attempts
    group by all
)

select * from final
