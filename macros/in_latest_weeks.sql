{# Condition: a production week of machine time, among the latest so many with records. Not by the calendar: a clock
   that is years ahead must not leave nothing to show. #}
{% macro in_latest_weeks(weeks) -%}
    production_week_start in (
        select production_week_start
        from (
            select
                production_week_start,
                row_number() over (order by production_week_start desc) as rank_from_end
            from (select distinct production_week_start from {{ ref("oee_by_plant_day") }}) as weeks
        ) as ranked
        where rank_from_end <= {{ weeks }}
    )
{%- endmacro %}
