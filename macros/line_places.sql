{# How many sensors of a line stand side by side in a row of sensor_line_minute; more are in further blocks. #}
{% macro line_places() %}{{ return(12) }}{% endmacro %}
