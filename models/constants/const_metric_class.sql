-- How series of points are looked at, by the time between two points: one row per class of periods. A block is what one
-- median stands for; a batch is as long as a baseline holds; what is compared with lies in batches before.
{{ config(materialized="view") }}

select *
from (
    values
        (2e0, 30e0, 60e0, 60::bigint, 10::bigint, 16::bigint, 40::bigint),
        (20e0, 300e0, 900e0, 96::bigint, 12::bigint, 16::bigint, 96::bigint),
        (900e0, 3600e0, 86400e0, 21::bigint, 36::bigint, 48::bigint, 24::bigint),
        (21600e0, 21600e0, 86400e0, 42::bigint, 28::bigint, 12::bigint, 28::bigint),
        (1e12, 86400e0, 604800e0, 16::bigint, 28::bigint, 7::bigint, 14::bigint)
) as classes (
    greatest_period_s, block_s, batch_s, lookback_batches, least_blocks, recent_blocks, drift_blocks
)
