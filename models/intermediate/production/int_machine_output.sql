-- What the machines made: one row per machine, production day, shift, phase of the shift, local hour, product and work
-- order. produced = good + scrap + rework. Cycles and tests count at their time; a count is split over its interval.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

{% set keys = [
    "machine_id", "line_id", "production_date", "production_week_start", "shift_date", "shift_name", "crew",
    "shift_start_at", "shift_phase", "hour_local",
] %}

with

made as (
    select * from {{ ref("int_machine_item") }}
    union all
    select * from {{ ref("int_machine_count_split") }}
),

made_in_weeks as (
    select
        {% for key in keys -%}
            {{ key }},
        {% endfor -%}
        product_name,
        work_order_id,
        sum(good + scrap + rework)::bigint as produced,
        sum(good)::bigint as good,
        sum(scrap)::bigint as scrap,
        sum(rework)::bigint as rework,
        sum(cycle_count)::bigint as cycle_count,
        sum(retest_s) as retest_s
    from made
    where production_week_start in (select week_start from {{ ref("int_touched_machine_week") }})
    group by all
),

products_made as (
    select distinct
        machine_id,
        product_name
    from made_in_weeks
),

days_made as (
    select distinct
        machine_id,
        product_name,
        production_date
    from made_in_weeks
),

rate_lines as (
    select
        pairs.machine_id,
        pairs.product_name,
        rates.valid_from,
        rates.valid_to,
        rates.rate_per_h,
        rates.line_number,
        rates.specificity
    from products_made as pairs
    inner join {{ ref("int_standard_rate") }} as rates
        on coalesce(rates.machine_id, pairs.machine_id) = pairs.machine_id
        and coalesce(rates.product_name, pairs.product_name) = pairs.product_name
),

rates_ranked as (
    select
        days.machine_id,
        days.product_name,
        days.production_date,
        rate_lines.rate_per_h,
        row_number() over (
            partition by days.machine_id, days.product_name, days.production_date
            order by rate_lines.specificity desc, rate_lines.valid_from desc nulls last, rate_lines.line_number asc
        ) as line_rank
    from days_made as days
    inner join rate_lines
        on days.machine_id = rate_lines.machine_id
        and days.product_name = rate_lines.product_name
        and days.production_date >= coalesce(rate_lines.valid_from, days.production_date)
        and days.production_date <= coalesce(rate_lines.valid_to, days.production_date)
),

final as (
    select
        {% for key in keys if key != "production_week_start" -%}
            made_in_weeks.{{ key }},
        {% endfor -%}
        made_in_weeks.product_name,
        made_in_weeks.work_order_id,
        made_in_weeks.produced,
        made_in_weeks.good,
        made_in_weeks.scrap,
        made_in_weeks.rework,
        coalesce({{ ratio("3600", "rates.rate_per_h") }} * made_in_weeks.produced, 0e0) as planned_run_time_s,
        case when rates.rate_per_h > 0 then 0 else made_in_weeks.produced end::bigint as unrated_count,
        made_in_weeks.cycle_count,
        made_in_weeks.retest_s,
        made_in_weeks.production_week_start
    from made_in_weeks
    left join rates_ranked as rates
        on made_in_weeks.machine_id = rates.machine_id
        and made_in_weeks.product_name = rates.product_name
        and made_in_weeks.production_date = rates.production_date
        and rates.line_rank = 1
)

select * from final order by production_week_start, machine_id
