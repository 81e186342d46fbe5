{# Fails for each row with a NULL in one of the columns. #}
{% test never_null(model, columns, touched=none, weeks="int_touched_week") %}
select *
from {{ model }}
where
    {{ just_written(touched, weeks) }}
    and ({% for column in columns %}{{ column }} is null{{ " or " if not loop.last }}{% endfor %})
{% endtest %}
