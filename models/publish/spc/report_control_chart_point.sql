select
    chart_id,
    panel,
    point_number,
    started_at_local,
    production_date,
    sample_size,
    value,
    center_line,
    lower_limit,
    upper_limit,
    standard_error,
    version,
    is_reference,
    is_excluded,
    exclusion_cause
from {{ ref("control_chart_point") }}
qualify row_number() over (partition by chart_id, panel order by point_number desc) <= 200
