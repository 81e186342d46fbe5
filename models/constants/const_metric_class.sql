-- How series of points are looked at, by the time between two points: one row per class of periods. A block is what one
-- median stands for; a batch is as long as a baseline holds, and what it is made of lies in the batches before. Of the
-- last recent_blocks, what was far off is no measure of itself; drift_blocks are a day's, or what stands for a day.
-- least_blocks are needed to judge a series by itself, least_together_blocks to judge it by others of its machine:
-- until the rhythm of a day is known, it looks like something that they share.
-- hold_share: a shifted level is flagged until its own recent mean has come so near, as a share of the shift.
{{ config(materialized="view") }}

select class_rows.*
from (
    values
    (2e0, 30e0, 60e0, 60::bigint, 10::bigint, 10::bigint, 16::bigint, 40::bigint, 1e-1),
    (20e0, 300e0, 900e0, 96::bigint, 12::bigint, 12::bigint, 16::bigint, 96::bigint, 1e-1),
    (900e0, 3600e0, 86400e0, 21::bigint, 36::bigint, 144::bigint, 48::bigint, 24::bigint, 75e-2),
    (21600e0, 21600e0, 86400e0, 42::bigint, 28::bigint, 28::bigint, 12::bigint, 28::bigint, 5e-1),
    (1e12, 604800e0, 604800e0, 26::bigint, 5::bigint, 5::bigint, 2::bigint, 4::bigint, 5e-1)
) as class_rows (
    greatest_period_s,
    block_s,
    batch_s,
    lookback_batches,
    least_blocks,
    least_together_blocks,
    recent_blocks,
    drift_blocks,
    hold_share
)
