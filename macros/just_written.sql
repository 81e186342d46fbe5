{#
    Condition of a test on a large table: the weeks that this build wrote. A test over all of history costs more than the
    night; `make verify` (verify_everything) reads it all. `of_readings`: the days that it wrote of sensors.
#}
{% macro just_written(column, of_readings=false) -%}
    {% if column and not var("verify_everything") -%}
        {% if of_readings -%}
            {{ column }} in (select production_date from {{ ref("int_touched_sensor_minute") }})
        {%- else -%}
            {{ column }} in (select week_start from {{ ref("int_touched_week") }})
        {%- endif %}
    {%- else -%}
        true
    {%- endif %}
{%- endmacro %}

{# The same for a test that compares a week with what it was made of: of closed weeks that is gone. #}
{% macro just_written_and_open(column) -%}
    {{ just_written(column) }} and {{ is_open(column) }}
{%- endmacro %}

{# The same for the wall time of test records: all of those weeks, and little else; spares the reading of older files. #}
{% macro just_written_times(column) -%}
    {%- if var("verify_everything") -%}
        true
    {%- else -%}
        {{ started_in_weeks(column, "select week_start from " ~ ref("int_touched_week")) }}
    {%- endif -%}
{%- endmacro %}
