select
    production_week_start,
    machine_id,
    line_id,
    shift_name,
    time_group,
    bucket,
    reason_code,
    reason,
    loss_class,
    duration_s,
    stop_count,
    failure_count
from {{ ref("downtime_pareto") }}
where {{ in_latest_weeks(var("report_weeks")) }}
