-- Serial numbers whose modules may look different since the last green build.
with

records as (
    select * from {{ ref("stg_test_record") }}
),

final as (
    select serial_num from records where is_new
    union
    select serial_num from {{ ref("stg_rework") }} where is_new
    union
    select serial_num from {{ ref("stg_disposition") }} where is_new
)

select * from final
