-- Metrics by which shifts, crews, lines and weeks are compared. `is_share`: its values lie within 0 and 1, so
-- differences get smaller near the ends. `sign`: 1 where more is better, -1 where less is.
with

metrics (metric, is_share, sign) as (
    values
    ('oee', true, 1),
    ('availability', true, 1),
    ('effectiveness', false, 1),
    ('quality_ratio', true, 1),
    ('scrap_ratio', true, -1),
    ('good_rate_per_h', false, 1),
    ('first_pass_yield', true, 1),
    ('passing_rate', true, 1)
)

select
    metric,
    is_share,
    sign::bigint as sign
from metrics
