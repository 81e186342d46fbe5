-- One row per series with something new: from which production day on its points are judged again, and from which day
-- on they are read for that. Everything, where nothing was judged yet.
{# named here, since dbt looks for them where no condition hides them #}
{% set stg_ref_plant = ref("stg_ref_plant") -%}
{% set stg_maintenance = ref("stg_maintenance") -%}
{% set stg_machine_state = ref("stg_machine_state") -%}
{% set stg_schedule_change = ref("stg_schedule_change") -%}
{% set stg_process_change = ref("stg_process_change") -%}
{% set int_touched_sensor_minute = ref("int_touched_sensor_minute") -%}
{% set int_touched_week = ref("int_touched_week") -%}
{% set int_touched_machine_week = ref("int_touched_machine_week") if "production" in var("subjects") -%}
{% set stg_metric_point = ref("stg_metric_point") -%}
{% set is_first = judges_all_series() -%}
{% set first_of_batch = "case when batch_s > 86400e0 then date_trunc('week', first_day)::date else first_day end" -%}

with

series as (
    select * from {{ ref("int_metric_series") }} where sensitivity_factor is not null
),

{% if is_first %}
    new_points as (
        select
            series_id,
            min(production_date) as touched_from
        from {{ ref("int_metric_point") }}
        group by series_id
    ),
{% else %}
    plant as (
        select * from {{ stg_ref_plant }}
    ),

    -- what else is there to know of a place or a process, as spans
    notes as (
        select
            machine_id as entity,
            {{ production_date("start_at_local") }} as touched_from
        from {{ stg_maintenance }}
        cross join plant
        where is_new
        union all
        -- a state may have ended with the next one
        select
            machine_id as entity,
            {{ production_date("state_start_at_local") }} - 7 as touched_from
        from {{ stg_machine_state }}
        cross join plant
        where is_new
        union all
        select
            line_id as entity,
            {{ production_date("start_at_local") }} as touched_from
        from {{ stg_schedule_change }}
        cross join plant
        where is_new
        union all
        select
            entity,
            {{ production_date("changed_at_local") }} as touched_from
        from {{ stg_process_change }}
        cross join plant
        where is_new
    ),

    touched as (
        select
            series.series_id,
            minutes.production_date as touched_from
        from {{ int_touched_sensor_minute }} as minutes
        inner join series
            on minutes.sensor_id = series.entity
            and series.entity_type = 'sensor'
        union all
        select
            series.series_id,
            weeks.week_start as touched_from
        from series
        cross join {{ int_touched_week }} as weeks
        where series.entity_type = 'station'
        {% if int_touched_machine_week %}
            union all
            select
                series.series_id,
                weeks.week_start as touched_from
            from series
            cross join {{ int_touched_machine_week }} as weeks
            where series.metric in ('technical_efficiency', 'effectiveness', 'units_not_scrapped')
        {% endif %}
        union all
        select
            series.series_id,
            {{ production_date("points.point_at_local") }} as touched_from
        from {{ stg_metric_point }} as points
        cross join plant
        inner join series
            on points.entity = series.entity
            and points.metric = series.metric
            and series.entity_type = 'other'
        where points.is_new
        union all
        select
            series.series_id,
            notes.touched_from
        from notes
        inner join series on notes.entity in (series.entity, series.machine_id, series.line_id, series.product_name)
    ),

    new_points as (
        select
            series_id,
            min(touched_from) as touched_from
        from touched
        group by series_id
    ),
{% endif %}
days as (
    select
        series.series_id,
        series.period_s,
        series.block_s,
        series.batch_s,
        series.lookback_batches,
        series.least_blocks,
        series.recent_blocks,
        series.drift_blocks,
        series.hold_share,
        series.sensitivity_factor,
        {% if rewrites_whole_weeks() %}
            min(new_points.touched_from) over () as first_day
        {% else %}
            -- a machine's series are also judged together
            min(new_points.touched_from) over (partition by coalesce(series.place, series.series_id), series.period_s)
                as first_day
        {% endif %}
    from series
    left join new_points on series.series_id = new_points.series_id
),

from_batch as (
    select
        *,
        {% if rewrites_whole_weeks() -%}
            -- whole days are taken out, of all series: none may begin later than another
            min({{ first_of_batch }}) over () as touched_from
        {%- else -%}
            {{ first_of_batch }} as touched_from
        {%- endif %}
    from days
    where first_day is not null
),

final as (
    select
        *,
        (touched_from - ceil(480 * period_s / 86400e0 + 1e-1)::int)::date as read_from,
        floor({{ seconds_between("timestamp '2000-01-03 00:00:00'", "touched_from::timestamp") }} / block_s)::bigint
        - lookback_batches * (batch_s / block_s)::bigint
        - 7 * drift_blocks as read_from_block
    from from_batch
)

select * from final
