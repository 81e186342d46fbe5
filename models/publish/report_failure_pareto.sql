select
    load_week,
    load_week_start,
    product_name,
    test_name,
    error_code,
    pareto_rank,
    fail_count,
    module_qty,
    fail_share,
    cumulative_share
from {{ ref("failure_pareto") }}
