-- One row per load week and product: the additive parts of summary_prod that come from modules.
{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_module_week') }}",
) }}

with

modules as (
    select *
    from {{ ref("module_status") }}
    where {{ in_touched_weeks("load_week_start", "int_touched_module_week", of_view=true) }}
),

final as (
    select
        load_week,
        load_week_start,
        product_name,
        count(*) as load_qty,
        count(*) filter (where is_unit_first_pass) as unit_first_pass_qty,
        count(*) filter (where status = 'finished') as finished_qty,
        count(*) filter (where status = 'scrap') as scrap_qty,
        count(*) filter (where status = 'work_in_progress') as wip_qty,
        max(last_touched_at) filter (where status = 'work_in_progress') as wip_last_touched_at,
        count(*) filter (where rework_events > 0) as rework_qty,
        sum(rework_events)::bigint as rework_events
    from modules
    group by all
)

select * from final
