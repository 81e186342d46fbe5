-- The subsets of product, machine and staffing by which the difference between two sides can be standardised, and the
-- weights that make of the differences so explained the Shapley value of each factor: the mean over the six orders in
-- which the factors can be taken into account (Shorrocks 2013, Journal of Economic Inequality 11, 99-126).
with

subsets (by_product, by_machine, by_staffing, product_weight, machine_weight, staffing_weight) as (
    values
    (true, false, false, 2, -1, -1),
    (false, true, false, -1, 2, -1),
    (false, false, true, -1, -1, 2),
    (true, true, false, 1, 1, -2),
    (true, false, true, 1, -2, 1),
    (false, true, true, -2, 1, 1),
    (true, true, true, 2, 2, 2)
)

select
    by_product,
    by_machine,
    by_staffing,
    product_weight / 6e0 as product_weight,
    machine_weight / 6e0 as machine_weight,
    staffing_weight / 6e0 as staffing_weight
from subsets
