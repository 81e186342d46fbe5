select
    production_date,
    production_week_start,
    machine_id,
    line_id,
    step_order,
    time_group,
    step,
    duration_s,
    remaining_s,
    units
from {{ ref("loss_waterfall") }}
where {{ in_latest_weeks(var("report_weeks")) }}
