-- A view where it can be: which sensor stands where is said by sensor_status.
with

placed as (
    select
        sensor_id,
        line_id,
        line_block,
        line_place
    from {{ ref("sensor_status") }}
    where line_id is not null
),

days as (
    select max(production_date) as last_date from {{ ref("sensor_day") }} where trusted_count > 0
),

minutes as (
    select
        minutes.*,
        {{ ratio("minutes.value_sum", "minutes.trusted_count") }} as value_mean
    from {{ ref("int_sensor_minute_aligned") }} as minutes
    cross join days
    where
        minutes.trusted_count > 0
        and minutes.production_date > days.last_date - {{ var("sensor_line_days") }} * interval '1 day'
),

final as (
    select
        placed.line_id,
        minutes.minute_at,
        placed.line_block,
        min(minutes.minute_at_local) as minute_at_local,
        min(minutes.production_date) as production_date,
        {% for place in range(1, line_places() + 1) -%}
            max(case when placed.line_place = {{ place }} then minutes.value_mean end) as value_{{ place }},
        {% endfor -%}
        count(*) as sensor_count
    from minutes
    inner join placed on minutes.sensor_id = placed.sensor_id
    group by placed.line_id, minutes.minute_at, placed.line_block
)

select * from final
