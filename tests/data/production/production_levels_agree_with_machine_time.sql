-- A figure differs with the level it is asked at: seconds or units of a week's machine time are missing from a level of
-- OEE or from the hours, or are there twice.
{% set parts = ["calendar_s", "apt_s", "aust_s", "adet_s", "adot_s", "produced", "good", "planned_run_time_s"] %}
{% set levels = [
    "oee_by_machine_shift", "oee_by_machine_day", "oee_by_product_week", "oee_by_plant_day", "production_rate",
] %}

with

levels as (
    {% for level in levels -%}
        select
            {% for part in parts -%}
                {{ part }},
            {% endfor -%}
            production_week_start,
            '{{ level }}' as level
        from {{ ref(level) }}
        union all
    {% endfor -%}
    select
        apt_s + aust_s + adet_s + adot_s + planned_downtime_s + unscheduled_s + no_data_s as calendar_s,
        {% for part in parts[1:] -%}
            {{ part }},
        {% endfor -%}
        production_week_start,
        'int_machine_time' as level
    from {{ ref("int_machine_time") }}
),

weeks as (
    select
        level,
        production_week_start,
        {% for part in parts -%}
            sum({{ part }}) as {{ part }},
        {% endfor -%}
        count(*) as row_count
    from levels
    where {{ just_written("production_week_start", "int_touched_machine_week") }}
    group by level, production_week_start
),

compared as (
    select
        production_week_start,
        {% for part in parts -%}
            max({{ part }}) - min({{ part }}) <= 1e-9 * max(abs({{ part }})) + 1e-5 as {{ part }}_agrees,
        {% endfor -%}
        count(*) as level_count
    from weeks
    group by production_week_start
)

select *
from compared
where
    level_count <> 6
    {% for part in parts -%}
        or not {{ part }}_agrees
    {% endfor %}
