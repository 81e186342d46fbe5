-- Serial numbers of which test_attempt reads all records: the touched ones, and where it writes whole weeks again, all
-- that have a record in one of them.
with

serial_weeks as (
    select * from {{ ref("int_serial_week") }}
),

touched_weeks as (
    select * from {{ ref("int_touched_week") }}
),

final as (
    select serial_num from {{ ref("int_touched_serial") }}
    {% if rewrites_whole_weeks() %}
        union
        select serial_num
        from serial_weeks
        where production_week_start in (select week_start from touched_weeks)
    {% endif %}
)

select * from final
