select * from {{ ref("int_finding_load") }}
union all
select * from {{ ref("int_finding_name") }}
union all
select
    finding,
    severity,
    table_name,
    load_week,
    product_name,
    test_name,
    machine_id,
    detail,
    finding_count,
    example
from {{ ref("int_finding_module") }}
union all
select * from {{ ref("int_finding_late") }}
union all
select * from {{ ref("int_finding_record") }}
union all
select * from {{ ref("int_finding_stream") }}
{% for subject, model in {
    "sensors": "int_finding_sensor",
    "production": "int_finding_production",
    "anomalies": "int_finding_anomaly",
    "spc": "int_finding_spc",
}.items() if subject in var("subjects") %}
    union all
    select * from {{ ref(model) }}
{% endfor %}
