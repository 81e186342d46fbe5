{#
    Pre-hook of an incremental model on metric series: takes out the rows that it is about to write again, those of
    touched series from their first touched day on: whatever comes after a point may be judged by it.
#}
{% macro clear_touched_metrics() %}
    {% set touched = ref("int_touched_metric") %}
    {% if execute and is_incremental() and rewrites_whole_weeks() %}
        {{ adapter.dispatch("clear_weeks")(
            this, "production_date",
            "(select distinct production_date as week_start from " ~ this ~ " where production_date >= "
            ~ "(select min(touched_from) from " ~ touched ~ ")) as days"
        ) }}
    {% elif execute and is_incremental() %}
        delete from {{ this }} as stored
        where exists (
            select 1 from {{ touched }} as touched
            where stored.series_id = touched.series_id and stored.production_date >= touched.touched_from
        )
    {% endif %}
{% endmacro %}

{# Whether no series was judged yet, or all are to be. #}
{% macro judges_all_series() %}
    {{ return(
        not execute or flags.FULL_REFRESH
        or adapter.get_relation(this.database, this.schema, "int_anomaly_flag") is none
    ) }}
{% endmacro %}
