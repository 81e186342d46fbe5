select
    product_name,
    test_name,
    parameter,
    bin_from,
    bin_to,
    value_count,
    further_out_count
from {{ ref("capability_histogram") }}
