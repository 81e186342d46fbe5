-- One row per machine, production day, metric of its time and units, and product where the metric is of one: numerator
-- and denominator. Days with fewer than four hours of production and delays, or 20 units, tell nothing. Availability
-- is not among them: it falls with the orders, which is no trouble of the machine. How long a unit took is
-- effectiveness: by product, a unit's time is what was made beside it. Without the subject production there is none.
{{ config(materialized="view") }}

with

{% if "production" in var("subjects") %}
    products as (
        select
            production_date,
            machine_id,
            product_name,
            sum(produced)::bigint as produced,
            sum(scrap)::bigint as scrap
        from {{ ref("int_machine_time") }}
        group by production_date, machine_id, product_name
        having sum(produced) >= 20
    ),

    final as (
        {% for metric, numerator, denominator, condition in [
            ("technical_efficiency", "100e0 * apt_s", "apt_s + adet_s", "apt_s + adet_s >= 14400e0"),
            ("effectiveness", "100e0 * planned_run_time_s", "apt_s", "effectiveness is not null and produced >= 20"),
        ] -%}
            select
                machine_id,
                null::string as product_name,
                '{{ metric }}' as metric,
                {{ numerator }} as numerator,
                {{ denominator }} as denominator,
                production_date
            from {{ ref("oee_by_machine_day") }}
            where {{ condition }}
            union all
        {% endfor -%}
        select
            machine_id,
            product_name,
            'units_not_scrapped' as metric,
            produced - scrap as numerator,
            produced as denominator,
            production_date
        from products
    )
{% else %}
    final as (
        select
            null::string as machine_id,
            null::string as product_name,
            null::string as metric,
            null::double as numerator,
            null::double as denominator,
            null::date as production_date
        from {{ ref("stg_ref_plant") }}
        where 1 = 0
    )
{% endif %}

select * from final
