select
    anomaly_id,
    point_at,
    production_date,
    observed,
    expected,
    lower_limit,
    upper_limit,
    is_flagged
from {{ ref("anomaly_context") }}
