-- One row: the parameters of anomaly detection, as the plant sets them (anomaly_parameters.csv), else as
-- macros/anomaly_parameters.sql says.
{{ config(materialized="view") }}

select
{% for parameter, value in anomaly_parameters().items() -%}
        coalesce(
            min_by(value, line_number) filter (where parameter = '{{ parameter }}'), {{ value }}e0
        ) as {{ parameter }}{{ "," if not loop.last }}
{% endfor -%}
from {{ ref("stg_ref_anomaly_parameters") }}
