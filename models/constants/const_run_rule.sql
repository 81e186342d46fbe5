-- Run rules: Nelson (1984), Journal of Quality Technology 16, 237-239, and the Western Electric handbook (1956).
-- `for_zones`: it counts points by zones of one σ, which only charts of values have.
{{ config(materialized="view") }}

select
    rules.rule,
    rules.family,
    rules.rule_number::bigint as rule_number,
    rules.for_zones,
    rules.description
from (
    values
    ('n1', 'nelson', 1, false, 'beyond a control limit'),
    ('n2', 'nelson', 2, false, 'nine points in a row on one side of the centre line'),
    ('n3', 'nelson', 3, false, 'six points in a row rising or falling'),
    ('n4', 'nelson', 4, false, 'fourteen points in a row going up and down in turn'),
    ('n5', 'nelson', 5, true, 'two of three points beyond 2 sigma on one side'),
    ('n6', 'nelson', 6, true, 'four of five points beyond 1 sigma on one side'),
    ('n7', 'nelson', 7, true, 'fifteen points in a row within 1 sigma'),
    ('n8', 'nelson', 8, true, 'eight points in a row beyond 1 sigma on either side'),
    ('w1', 'western-electric', 1, false, 'beyond a control limit'),
    ('w2', 'western-electric', 2, true, 'two of three points beyond 2 sigma on one side'),
    ('w3', 'western-electric', 3, true, 'four of five points beyond 1 sigma on one side'),
    ('w4', 'western-electric', 4, false, 'eight points in a row on one side of the centre line')
) as rules (rule, family, rule_number, for_zones, description)
