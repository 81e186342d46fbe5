{# Kinds of events that int_machine_span has to look at: those of which there are any on the days being read. #}
{% macro machine_event_kinds() %}
    {% set evidence, jobs = ref("int_machine_evidence"), ref("stg_maintenance") %}
    {% set kinds = ["state"] %}
    {% if execute %}
        {% for row in run_query(
            "select distinct kind from " ~ evidence
            ~ " union select distinct case when kind = 'corrective' then kind else 'planned' end as kind from " ~ jobs
        ).rows %}
            {% do kinds.append(row["kind"]) %}
        {% endfor %}
    {% endif %}
    {{ return(kinds) }}
{% endmacro %}
