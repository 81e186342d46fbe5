{#
    Condition on readings: they may belong to one of the sensor's minutes that are being written. A minute is found by
    the hour it lies in; where whole days are written (rewrites_whole_weeks), by its production day.
    `times`: a query that gives a time of each minute, and the same as wall time: read_at, read_at_local.
#}
{% macro read_in_hours_of(times) -%}
    {%- set plant = ref("stg_ref_plant") -%}
    {%- if rewrites_whole_weeks() -%}
        {%- set starts -%}
            select {{ production_date("read_at_local") }}::timestamp
                + plant.production_day_start_minutes * interval '1 minute' as span_start
            from ({{ times }}) as times
            cross join {{ plant }} as plant
        {%- endset -%}
        {{ within_spans("reading_at_local", starts, hours=24) }}
    {%- else -%}
        {{ within_spans(
            "reading_at", "select date_trunc('hour', read_at)::timestamp as span_start from (" ~ times ~ ") as times", hours=1
        ) }}
    {%- endif -%}
{%- endmacro %}

{#
    Pre-hook of a model on sensors: takes out the rows that it is about to write again, those of touched minutes or,
    where `key` is hour_at or production_date, of their hours or days. Notes the days first, for what is published by days.
#}
{% macro clear_touched_minutes(key) %}
    {% set touched = ref("int_touched_sensor_minute") %}
    {% set days = "(select distinct production_date as week_start from " ~ touched ~ ") as days" %}
    {% if execute %}
        {% do adapter.dispatch("note_weeks")(this.identifier, days if is_incremental() else none) %}
    {% endif %}
    {% if execute and is_incremental() and rewrites_whole_weeks() %}
        {{ adapter.dispatch("clear_weeks")(this, "production_date", days) }}
    {% elif execute and is_incremental() %}
        delete from {{ this }} as stored
        where
            stored.production_date in (select touched.production_date from {{ touched }} as touched)
            and exists (
                select 1 from {{ touched }} as touched
                where stored.sensor_id = touched.sensor_id and stored.{{ key }} = touched.{{ key }}
            )
    {% endif %}
{% endmacro %}
