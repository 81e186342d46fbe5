select
    metric,
    product_name,
    test_name,
    low,
    reason
from {{ ref("stg_ref_yield_targets") }}
