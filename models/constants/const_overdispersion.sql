-- What σz, the spread of standardised shares by their moving ranges, stays below in 99 of 100 reference periods of n
-- points without over-dispersion: from n_from points on, falling with 1/√n to the next row. 20, 25, 50 and 100 points
-- as agreed for Laney charts, the others from 2 million simulated periods each; at infinity it is 1.
{{ config(materialized="view") }}

with

simulated as (
    select limits.*
    from (
        values
        (5, 2.24e0), (6, 2.10e0), (8, 1.91e0), (10, 1.80e0), (12, 1.72e0), (15, 1.63e0), (20, 1.54e0), (25, 1.44e0),
        (30, 1.42e0),
        (50, 1.34e0),
        (75, 1.26e0),
        (100, 1.23e0),
        (150, 1.18e0),
        (200, 1.155e0),
        (400, 1.11e0),
        (1000, 1.07e0)
    ) as limits (n, sigma_z)
)

select
    n::bigint as n_from,
    lead(n) over by_n::bigint as n_to,
    sigma_z as sigma_z_from,
    coalesce(lead(sigma_z) over by_n, 1e0) as sigma_z_to,
    1e0 / sqrt(n) as root_from,
    coalesce(1e0 / sqrt(lead(n) over by_n), 0e0) as root_to
from simulated
window by_n as (order by n)
