{# Fails for each key that has more than one row. `touched`: column of the week; only weeks just written are read. #}
{% test unique_key(model, columns, touched=none, of_readings=false) %}
select
    {{ columns | join(", ") }},
    count(*) as row_count
from {{ model }}
where {{ just_written(touched, of_readings) }}
group by all
having count(*) > 1
{% endtest %}
