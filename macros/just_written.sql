{#
    Condition of a test on a large table: the weeks that this build wrote. A test over all of history costs more than the
    night; `make verify` (verify_everything) reads it all. `weeks`: the model that lists them, or the days
    of sensors' readings (int_touched_sensor_minute).
#}
{% macro just_written(column, weeks="int_touched_week") -%}
    {% if column and not var("verify_everything") -%}
        {% set start = "production_date" if weeks == "int_touched_sensor_minute" else "week_start" -%}
        {{ column }} in (select {{ start }} from {{ ref(weeks) }}) and {{ within_range(column, start, ref(weeks)) }}
    {%- else -%}
        true
    {%- endif %}
{%- endmacro %}

{# The same for a test that compares a week with what it was made of: of closed weeks that is gone. #}
{% macro just_written_and_open(column, weeks="int_touched_week") -%}
    {{ just_written(column, weeks) }} and {{ is_open(column) }}
{%- endmacro %}

{# The same for the wall time of test records: all of those weeks, and little else; spares the reading of older files. #}
{% macro just_written_times(column) -%}
    {%- if var("verify_everything") -%}
        true
    {%- else -%}
        {{ started_in_weeks(column, "select week_start from " ~ ref("int_touched_week")) }}
    {%- endif -%}
{%- endmacro %}
