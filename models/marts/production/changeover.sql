with

setups as (
    select
        machine_id,
        line_id,
        coalesce(product_before, '(none)') as from_product_name,
        case when product_name <> '(none)' then product_name else coalesce(product_after, '(none)') end
            as to_product_name,
        stop_started_at,
        duration_s
    from {{ ref("stop") }}
    where bucket = 'setup' and not is_open
),

final as (
    select
        machine_id,
        line_id,
        from_product_name,
        to_product_name,
        count(*) as changeover_count,
        round(sum(duration_s), 6) as duration_sum_s,
        median(duration_s) as median_duration_s,
        min(duration_s) as min_duration_s,
        max(duration_s) as max_duration_s,
        max(stop_started_at) as last_started_at
    from setups
    group by machine_id, line_id, from_product_name, to_product_name
)

select * from final
