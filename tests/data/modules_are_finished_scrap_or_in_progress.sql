-- A module is missing from summary_prod or stands in it twice.
with

modules as (
    select
        load_week_start,
        product_name,
        count(*) as module_count
    from {{ ref("module_status") }}
    where {{ just_written_and_open("load_week_start") }}
    group by all
),

weeks as (
    select
        load_week_start,
        product_name,
        load_qty,
        finished_qty,
        scrap_qty,
        wip_qty
    from {{ ref("summary_prod") }}
    where {{ just_written_and_open("load_week_start") }}
)

select *
from modules
full outer join weeks using (load_week_start, product_name)
where not coalesce(
    modules.module_count = weeks.load_qty
    and weeks.load_qty = weeks.finished_qty + weeks.scrap_qty + weeks.wip_qty,
    false
)
