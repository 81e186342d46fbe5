{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

with

rules as (
    {{ oee_rules() }}
),

times as (
    select
        *,
        {{ edge_seconds() }}
    from {{ ref("int_machine_time") }}
    cross join rules
    where {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

summed as (
    select
        production_date,
        production_week_start,
        machine_id,
        line_id,
        {{ oee_parts() }}
    from times
    group by all
),

final as (
    select
        production_date,
        production_week_start,
        machine_id,
        line_id,

        {{ oee_kpis() }}
    from summed
    cross join rules
)

select * from final
