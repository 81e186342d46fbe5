{# ISO label such as 2024-W01 of the week that starts at a Monday (a date): year and week of its Thursday. #}
{% macro week_label(monday) -%}
    {%- set thursday = "(" ~ monday ~ " + interval '3 days')::date" -%}
    concat(
        extract(year from {{ thursday }})::string,
        '-W',
        lpad((floor((extract(doy from {{ thursday }}) - 1) / 7) + 1)::bigint::string, 2, '0')
    )
{%- endmacro %}
