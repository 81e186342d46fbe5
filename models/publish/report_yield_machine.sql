select
    load_week,
    load_week_start,
    product_name,
    test_name,
    machine_id,
    test_count,
    pass_count,
    passing_rate,
    passing_rate_low,
    passing_rate_high,
    pass_duration_count,
    pass_duration_sum_s,
    fail_duration_count,
    fail_duration_sum_s,
    avg_test_duration_pass_s,
    avg_test_duration_fail_s
from {{ ref("summary_machine") }}
