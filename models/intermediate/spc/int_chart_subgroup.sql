-- One row per chart of values and subgroup. Incremental by production week; the subgroups of closed weeks stay.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_chart_week') }}",
) }}

with

charted as (
    select *
    from {{ ref("int_chart_value") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_chart_week") }}
),

final as (
    select
        chart_id,
        chart,
        product_name,
        test_name,
        parameter,
        machine_id,
        subgroup_rank,
        min(test_timestamp) as started_at,
        min(test_timestamp_local) as started_at_local,
        count(*) as value_count,
        avg(value) as value_mean,
        stddev_samp(value) as value_sd,
        max(value) - min(value) as value_range,
        production_date,
        production_week_start
    from charted
    group by
        chart_id,
        chart,
        product_name,
        test_name,
        parameter,
        machine_id,
        subgroup_rank,
        production_date,
        production_week_start
)

select * from final
