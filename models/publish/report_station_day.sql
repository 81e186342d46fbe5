select
    production_date,
    production_week_start,
    machine_id,
    product_name,
    test_name,
    attempt_count,
    pass_count,
    error_count,
    abort_count,
    other_purpose_count,
    first_run_count,
    first_run_pass_count,
    pass_duration_count,
    pass_duration_sum_s,
    fail_duration_count,
    fail_duration_sum_s
from {{ ref("station_day") }}
