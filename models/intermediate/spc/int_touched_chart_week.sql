-- Production weeks in which measured values may look different: those of touched modules, and those of new
-- measurements.
with

new_measurements as (
    select distinct date_trunc('week', {{ production_date("measurements.test_timestamp_local") }})::date as week_start
    from {{ ref("stg_test_measurement") }} as measurements
    cross join {{ ref("stg_ref_plant") }} as plant
    where measurements.is_new
),

final as (
    select week_start from {{ ref("int_touched_week") }}
    union
    select week_start from new_measurements where {{ is_open("week_start") }}
)

select * from final
