{#
    Condition of a test on a large table: the weeks that this build wrote. A test over all of history costs more than the
    night; `make verify` (verify_everything) reads it all.
#}
{% macro just_written(column) -%}
    {% if column and not var("verify_everything") -%}
        {{ column }} in (select week_start from {{ ref("int_touched_week") }})
    {%- else -%}
        true
    {%- endif %}
{%- endmacro %}
