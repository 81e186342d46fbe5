{# Fails for each row with a share outside 0-1 or one that is no number. #}
{% test shares_within_0_and_1(model, columns, touched=none, weeks="int_touched_week") %}
select *
from {{ model }}
where
    {{ just_written(touched, weeks) }}
    and ({% for column in columns %}not coalesce({{ column }} between 0 and 1, true){{ " or " if not loop.last }}{% endfor %})
{% endtest %}
