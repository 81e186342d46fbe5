{# Fails for each row with a NULL in one of the columns. #}
{% test never_null(model, columns, touched=none, of_readings=false) %}
select *
from {{ model }}
where
    {{ just_written(touched, of_readings) }}
    and ({% for column in columns %}{{ column }} is null{{ " or " if not loop.last }}{% endfor %})
{% endtest %}
