-- A line's figures are those of its constraint machine, with the good units of its last machine. Which machine is the
-- constraint may depend on the product: its time and units count where its constraint is, time without a product at
-- the constraint of any product. Where several machines share a place, they are added.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

{% set parts = [
    "apt_s", "aust_s", "adet_s", "adot_s", "planned_downtime_s", "unscheduled_s", "no_data_s",
    "unplanned_production_s", "edge_s", "edge_in_pbt_s", "produced", "scrap", "rework", "unrated_count",
    "planned_run_time_s",
] %}

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
    where line_id <> '' and {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

roles as (
    select *
    from {{ ref("int_line_role") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

rates as (
    select * from {{ ref("int_standard_rate") }} where rate_per_h > 0
),

machines as (
    select
        production_date,
        machine_id,
        product_name,
        {{ oee_parts() }}
    from times
    group by all
),

-- what the last machine let out while the constraint made other products is worth the constraint's rate all the same
rates_ranked as (
    select
        roles.production_date,
        roles.line_id,
        roles.product_name,
        rates.rate_per_h,
        row_number() over (
            partition by roles.production_date, roles.line_id, roles.product_name
            order by rates.specificity desc, rates.valid_from desc nulls last, rates.line_number asc
        ) as rate_rank
    from roles
    inner join rates
        on roles.product_name = coalesce(rates.product_name, roles.product_name)
        and roles.machine_id = coalesce(rates.machine_id, roles.machine_id)
        and roles.production_date >= coalesce(rates.valid_from, roles.production_date)
        and roles.production_date <= coalesce(rates.valid_to, roles.production_date)
    where roles.is_constraint
),

products as (
    select
        roles.production_date,
        roles.production_week_start,
        roles.line_id,
        roles.product_name,
        {% for part in parts -%}
            sum(machines.{{ part }}) filter (where roles.is_constraint) as {{ part }},
        {% endfor -%}
        sum(machines.good) filter (where roles.is_last) as good,
        max(roles.machine_id) filter (where roles.is_constraint and machines.machine_id is not null)
            as constraint_machine_id,
        min(roles.machine_id) filter (where roles.is_constraint and machines.machine_id is not null)
            as least_constraint_machine_id,
        {% for part in ["no_data_s", "produced", "unrated_count", "planned_run_time_good_s", "apt_s"] -%}
            sum(machines.{{ part }}) as machines_{{ part }},
        {% endfor -%}
        sum(machines.apt_s + machines.aust_s + machines.adet_s + machines.adot_s) as machines_pbt_s
    from roles
    left join machines
        on roles.production_date = machines.production_date
        and roles.machine_id = machines.machine_id
        and roles.product_name = machines.product_name
    group by all
),

summed as (
    select
        products.production_date,
        products.production_week_start,
        products.line_id,
        case when min(least_constraint_machine_id) = max(constraint_machine_id) then max(constraint_machine_id) end
            as constraint_machine_id,
        {% for part in parts -%}
            {{ "coalesce(sum(" ~ part ~ "), 0)::bigint" if not part.endswith("_s")
                else "round(coalesce(sum(" ~ part ~ "), 0e0), 6)" }} as {{ part }},
        {% endfor -%}
        coalesce(sum(products.good), 0)::bigint as good,
        coalesce(sum(products.good * coalesce(
            {{ ratio("products.planned_run_time_s", "products.produced - products.unrated_count") }},
            3600e0 / rates_ranked.rate_per_h
        )), 0e0) as planned_run_time_good_s,
        round(sum(machines_pbt_s), 6) as machines_pbt_s,
        {% for part in ["apt_s", "no_data_s"] -%}
            round(sum(machines_{{ part }}), 6) as machines_{{ part }},
        {% endfor -%}
        {% for part in ["produced", "unrated_count"] -%}
            coalesce(sum(machines_{{ part }}), 0)::bigint as machines_{{ part }},
        {% endfor -%}
        coalesce(sum(machines_planned_run_time_good_s), 0e0) as machines_planned_run_time_good_s
    from products
    left join rates_ranked
        on products.production_date = rates_ranked.production_date
        and products.line_id = rates_ranked.line_id
        and products.product_name = rates_ranked.product_name
        and rates_ranked.rate_rank = 1
    group by all
),

final as (
    select
        production_date,
        production_week_start,
        line_id,
        constraint_machine_id,

        {{ oee_kpis() }},

        machines_pbt_s,
        machines_apt_s,
        machines_no_data_s,
        machines_produced,
        machines_unrated_count,
        machines_planned_run_time_good_s,
        {{ ratio("machines_apt_s", "machines_pbt_s") }} as machine_availability_pbt_weighted,
        {{ ratio_if_known("machines_planned_run_time_good_s", "machines_pbt_s", "machines_pbt_s", "machines_") }}
            as machine_oee_pbt_weighted
    from summed
    cross join rules
)

select * from final
