-- Counts of the days being read, each once; of several about the same interval, product and order the one with the
-- highest hash. Good units are what is neither scrap nor rework where the record does not say.
{{ config(materialized="view") }}

with

rules as (
    select {{ production_rule("state_lasts_days") }}::int as state_lasts_days
),

machines as (
    select * from {{ ref("int_machine") }}
),

counts_ranked as (
    select
        counts.*,
        row_number() over (
            partition by
                counts.machine_id,
                counts.interval_start_at,
                counts.interval_end_at,
                counts.product_name,
                counts.work_order_id
            order by counts.record_hash desc
        ) as copy_rank
    from {{ ref("stg_production_count") }} as counts
    where {{ read_for_machine_weeks("counts.interval_start_at") }}
),

final as (
    select
        counts_ranked.machine_id,
        counts_ranked.product_name,
        counts_ranked.work_order_id,
        counts_ranked.interval_start_at as started_at,
        greatest(
            counts_ranked.interval_start_at,
            least(
                counts_ranked.interval_end_at,
                counts_ranked.interval_start_at + rules.state_lasts_days * interval '1 day',
                machines.horizon_at
            )
        ) as ended_at,
        coalesce(
            counts_ranked.good_count,
            greatest(
                0,
                counts_ranked.total_count
                - coalesce(counts_ranked.scrap_count, 0)
                - coalesce(counts_ranked.rework_count, 0)
            )
        )::bigint as good,
        coalesce(counts_ranked.scrap_count, 0)::bigint as scrap,
        coalesce(counts_ranked.rework_count, 0)::bigint as rework,
        row_number() over (
            order by
                counts_ranked.machine_id,
                counts_ranked.interval_start_at,
                counts_ranked.interval_end_at,
                counts_ranked.product_name,
                counts_ranked.work_order_id nulls first
        ) as count_number
    from counts_ranked
    inner join machines
        on counts_ranked.machine_id = machines.machine_id
        and counts_ranked.interval_start_at <= machines.horizon_at
    cross join rules
    where counts_ranked.copy_rank = 1
)

select * from final
