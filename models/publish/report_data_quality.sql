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
from {{ ref("data_quality") }}
