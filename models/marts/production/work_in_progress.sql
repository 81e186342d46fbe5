-- What nobody touched for wip_stale_days is no longer waiting; a week may be closed only after that, so that what is
-- left out here is what closing takes away.
with

modules as (
    select * from {{ ref("module_status") }} where status = 'work_in_progress'
),

clock as (
    select max(max_event_at) as as_of
    from {{ ref("stg_load") }}
    where status = 'loaded' and table_name = 'test_record'
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

steps as (
    select
        product_name,
        test_name,
        lead(test_name) over (partition by product_name order by sequence) as next_test_name
    from {{ ref("route_step") }}
),

waiting as (
    select
        modules.product_name,
        case
            when modules.last_test_result = 'pass' then coalesce(steps.next_test_name, '(none)')
            else modules.last_test_name
        end as test_name,
        greatest({{ seconds_between("modules.last_touched_at", "clock.as_of") }}, 0e0) as age_s
    from modules
    cross join clock
    cross join plant
    left join steps
        on modules.product_name = steps.product_name
        and modules.last_test_name = steps.test_name
    where modules.last_touched_at >= clock.as_of - plant.wip_stale_days * interval '1 day'
),

final as (
    select
        product_name,
        test_name,
        count(*) as module_count,
        sum(age_s) as age_sum_s,
        median(age_s) as median_age_s,
        percentile_cont(0.9) within group (order by age_s) as p90_age_s,
        max(age_s) as oldest_age_s
    from waiting
    group by product_name, test_name
)

select * from final
