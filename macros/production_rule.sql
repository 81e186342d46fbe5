{# What production_rules.csv says of a parameter, the first line that names it; else its default. A scalar. #}
{% macro production_rule(parameter) -%}
    {%- set defaults = {
        "min_data_coverage": 0.9,
        "handover_min": 30,
        "state_lasts_days": 7,
        "rework_is_repeat_in_days": 1,
        "busy_window_first_to_last": 0,
    } -%}
    (
        select coalesce(min_by(value, line_number), {{ defaults[parameter] }})
        from {{ ref("stg_ref_production_rules") }}
        where parameter = '{{ parameter }}'
    )::double
{%- endmacro %}
