-- A difference between two shifts is not what its parts say: somebody would be blamed for what the mix did.
select *
from {{ ref("shift_comparison") }}
where
    abs(
        crude_difference - coalesce(product_mix_part, 0e0) - coalesce(machine_mix_part, 0e0)
        - coalesce(staffing_mix_part, 0e0) - coalesce(within_part, 0e0) - not_comparable_part
    ) > 1e-12 * greatest(1e0, abs(value_a), abs(value_b))
