-- A histogram that lacks values, or counts one twice, shows another process than the figures beside it.
select
    product_name,
    test_name,
    parameter,
    any_value(capability.value_count) as value_count,
    sum(bins.value_count) as counted
from {{ ref("process_capability") }} as capability
left join {{ ref("capability_histogram") }} as bins using (product_name, test_name, parameter)
group by product_name, test_name, parameter
having any_value(capability.value_count) is distinct from sum(bins.value_count)
