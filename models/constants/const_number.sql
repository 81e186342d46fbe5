-- The numbers 0 to 1999, for sums over a series.
{{ config(materialized="view") }}

with

digits as (
    select digits.digit
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as digits (digit)
)

select (ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit)::bigint as number
from digits as ones
cross join digits as tens
cross join digits as hundreds
cross join digits as thousands
where thousands.digit < 2
