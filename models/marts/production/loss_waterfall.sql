-- Calendar time goes down step by step to effective time; what each step takes sums to calendar time. Speed loss is
-- what is left of production time when all that has a name is taken out: below 0 where units were made faster than
-- their standard rate.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

with

intervals as (
    select *
    from {{ ref("int_machine_interval") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

times as (
    select *
    from {{ ref("int_machine_time") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

time_steps as (
    select
        production_date,
        production_week_start,
        machine_id,
        line_id,
        time_group,
        bucket as step,
        sum(duration_us)::bigint / 1e6 as duration_s
    from intervals
    where bucket not in ('production', 'unplanned_production')
    group by all
),

-- production time proper, by product: what is known of its units. Seconds are whole microseconds here as above, so that
-- what nothing was lost to is exactly 0.
products as (
    select
        production_date,
        production_week_start,
        machine_id,
        line_id,
        product_name,
        round(sum(production_s + unplanned_production_s), 6) as production_s,
        sum(retest_s) > 0 as has_retests,
        sum(planned_run_time_s) as planned_run_time_s,
        sum(produced - unrated_count) as rated_count,
        round(sum({{ planned_run_time_of("good") }}), 6) as good_s,
        round(sum({{ planned_run_time_of("scrap") }}), 6) as scrap_s
    from times
    group by all
),

-- seconds of retests are lost as such, so that the units made in them are not lost once more
units as (
    select
        *,
        rated_count > 0 as is_rated,
        case when has_retests then 0e0 else round(planned_run_time_s - good_s - scrap_s, 6) end as rework_s
    from products
),

unit_steps as (
    {% for step, seconds in [
        ("unrated_production", "case when not is_rated then production_s else 0e0 end"),
        ("speed_loss", "case when is_rated then production_s - rework_s - scrap_s - good_s else 0e0 end"),
        ("scrap", "case when is_rated then scrap_s else 0e0 end"),
        ("rework", "case when is_rated then rework_s else 0e0 end"),
        ("effective", "case when is_rated then good_s else 0e0 end"),
    ] -%}
        select
            production_date,
            production_week_start,
            machine_id,
            line_id,
            'APT' as time_group,
            '{{ step }}' as step,
            round(sum({{ seconds }}), 6) as duration_s
        from units
        group by all
        {{ "union all" if not loop.last }}
    {% endfor -%}
),

steps as (
    select * from time_steps
    union all
    select * from unit_steps where duration_s <> 0 or step = 'effective'
),

rates as (
    select
        production_date,
        machine_id,
        {{ ratio("sum(planned_run_time_s)", "sum(rated_count)") }} as run_time_per_unit_s
    from units
    group by all
),

placed as (
    select
        *,
        case
            when time_group = 'no_data' then 1
            when time_group = 'unscheduled' then 2
            when time_group = 'planned_downtime' then 3
            when time_group = 'ADOT' then 4
            when time_group = 'ADET' then 5
            when time_group = 'AUST' then 6
            when step = 'speed_loss' then 8
            when step in ('scrap', 'rework') then 9
            when step = 'effective' then 10
            else 7
        end::bigint as step_order
    from steps
),

final as (
    select
        placed.production_date,
        placed.production_week_start,
        placed.machine_id,
        placed.line_id,
        placed.step_order,
        placed.time_group,
        placed.step,
        placed.duration_s,
        sum(placed.duration_s) over (
            partition by placed.production_date, placed.machine_id
            order by placed.step_order desc, placed.step desc
            rows between unbounded preceding and current row
        ) - placed.duration_s as remaining_s,
        rates.run_time_per_unit_s,
        {{ ratio("placed.duration_s", "rates.run_time_per_unit_s") }} as units
    from placed
    left join rates
        on placed.production_date = rates.production_date
        and placed.machine_id = rates.machine_id
)

select * from final
