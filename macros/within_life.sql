{#
    Condition: the time lies in a module's life, from its first record to serial_reuse_days after its last (for ever where
    serial numbers are not used again). Needs `modules` and `plant` in scope.
#}
{% macro within_life(time) -%}
    modules.first_tested_at <= {{ time }}
        and (
            plant.serial_reuse_days is null
            or {{ time }} <= modules.last_tested_at + plant.serial_reuse_days * interval '1 day'
        )
{%- endmacro %}
