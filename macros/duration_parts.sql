{# Number and sum of the durations of passed and of failed attempts, the parts of their averages. #}
{% macro duration_parts(condition) -%}
    count(test_duration_s) filter (where {{ condition }} and test_result = 'pass') as pass_duration_count,
        sum(test_duration_s) filter (where {{ condition }} and test_result = 'pass') as pass_duration_sum_s,
        count(test_duration_s) filter (where {{ condition }} and test_result = 'fail') as fail_duration_count,
        sum(test_duration_s) filter (where {{ condition }} and test_result = 'fail') as fail_duration_sum_s
{%- endmacro %}
