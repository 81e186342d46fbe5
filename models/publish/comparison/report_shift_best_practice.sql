select
    comparison_kind,
    line_id,
    metric,
    better_side,
    other_side,
    advantage,
    advantage_lower_95,
    units_per_week,
    adjusted_p_value
from {{ ref("shift_best_practice") }}
