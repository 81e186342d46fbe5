select
    machine_id,
    line_id,
    production_date,
    started_at,
    ended_at,
    started_at_local,
    shift_name,
    time_group,
    bucket,
    reason_code,
    stop_started_at,
    product_name,
    duration_us / 1e6 as duration_s
from {{ ref("int_machine_interval") }}
where production_date in (
    select production_date
    from (
        select
            production_date,
            row_number() over (order by production_date desc) as rank_from_end
        from {{ ref("oee_by_plant_day") }}
    ) as days
    where rank_from_end <= {{ var("timeline_days") }}
)
