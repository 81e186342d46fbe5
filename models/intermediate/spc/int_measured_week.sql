-- One row per production week, product, test, parameter and machine: parts of what measured values say, and what was
-- wrong with them. Outlives the values of closed weeks.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_chart_week') }}",
) }}

with

measured as (
    select
        *,
        coalesce(run_number = 1, false) as is_first_run,
        coalesce(run_purpose in ('golden', 'calibration', 'verification'), false) as is_golden
    from {{ ref("int_measured_value") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_chart_week") }}
),

final as (
    select
        product_name,
        test_name,
        parameter,
        machine_id,
        min(unit) as unit,
        min(unit) <> max(unit) as units_differ,
        max_by(lower_limit, test_timestamp) filter (where lower_limit is not null) as lower_limit,
        max_by(upper_limit, test_timestamp) filter (where upper_limit is not null) as upper_limit,

        -- first production runs
        count(*) filter (where is_first_run) as value_count,
        avg(value) filter (where is_first_run) as value_mean,
        var_samp(value) filter (where is_first_run) as value_variance,

        -- golden units
        count(*) filter (where is_golden) as golden_count,
        avg(value) filter (where is_golden) as golden_mean,

        -- records
        sum(copy_count)::bigint as record_count,
        count(*) as measurement_count,
        count(*) filter (where is_conflict) as conflict_count,
        count(*) filter (where candidate_count = 0) as orphan_count,
        count(*) filter (where candidate_count > 1) as ambiguous_count,
        count(*) filter (where lower_limit > upper_limit) as inverted_count,
        min(serial_num) as example,
        production_week_start
    from measured
    group by product_name, test_name, parameter, machine_id, production_week_start
)

select * from final
