-- One row per series of shares and production day: how many were good, of how many. Good is always what there should be
-- more of: rejects of loads stand as records that were accepted.
{{ config(materialized="view") }}

with

products as (
    select
        product_name,
        min(family) as family
    from {{ ref("stg_ref_products") }}
    group by product_name
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

machines as (
    select
        machine_id,
        min(line_id) as line_id
    from {{ ref("stg_ref_machines") }}
    group by machine_id
),

shares as (
    select
        'station' as entity_type,
        machine_id as entity,
        'first_pass_yield' as metric,
        product_name,
        test_name,
        production_date,
        first_run_pass_count as numerator,
        first_run_count as denominator
    from {{ ref("station_day") }}
    where first_run_count > 0
    union all
    select
        'station' as entity_type,
        machine_id as entity,
        'passing_rate' as metric,
        product_name,
        test_name,
        production_date,
        pass_count as numerator,
        attempt_count as denominator
    from {{ ref("station_day") }}
    where attempt_count > 0
    union all
    select
        'station' as entity_type,
        machine_id as entity,
        metric,
        product_name,
        null::string as test_name,
        production_date,
        numerator::bigint as numerator,
        denominator::bigint as denominator
    from {{ ref("int_metric_machine_day") }}
    where metric = 'units_not_scrapped'
    union all
    select
        'source' as entity_type,
        source as entity,
        'accepted_records' as metric,
        null::string as product_name,
        null::string as test_name,
        started_at::date as production_date,
        sum(row_count)::bigint as numerator,
        sum(row_count + reject_count)::bigint as denominator
    from {{ ref("stg_load") }}
    where status = 'loaded' and left(table_name, 4) <> 'ref_'
    group by source, started_at::date
    having sum(row_count + reject_count) > 0
),

final as (
    select
        concat(
            shares.entity_type, ':', shares.entity, ':', shares.metric,
            case when shares.product_name is null then '' else concat(':', shares.product_name) end,
            case when shares.test_name is null then '' else concat(':', shares.test_name) end
        ) as series_id,
        shares.*,
        case when shares.entity_type = 'station' then shares.entity end as machine_id,
        machines.line_id,
        products.family,
        shares.production_date::timestamp + plant.production_day_start_minutes * interval '1 minute' as point_at_local
    from shares
    cross join plant
    left join machines
        on shares.entity = machines.machine_id
        and shares.entity_type = 'station'
    left join products on shares.product_name = products.product_name
)

select * from final
