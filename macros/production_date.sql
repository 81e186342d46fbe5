{# The production day of a plant wall time, where stg_ref_plant is at hand as plant. #}
{% macro production_date(column) -%}
    ({{ column }} - plant.production_day_start_minutes * interval '1 minute')::date
{%- endmacro %}
