select
    component_type,
    component_manufacturer,
    lane_number,
    as_of_at,
    sensor_count,
    last_read_at,
    value_now,
    upper_limit,
    recent_count,
    over_limit_count,
    is_over_limit,
    value_max,
    hottest_sensor_id
from {{ ref("component_temperature") }}
