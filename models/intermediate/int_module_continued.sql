-- One row per serial number and product with a module in a closed week and records in the weeks being written: the last
-- such module, and until when its records go on. They belong to its load week, so they change nothing any more.
with

records as (
    select * from {{ ref("int_test_record_open") }} where {{ some_week_is_closed() }}
),

closed as (
    select
        serial_num,
        product_name,
        max(life_number) as life_number,
        max(last_tested_at) as last_tested_at,
        max(last_load_id) as last_load_id
    from {{ source("ops", "closed_module") }}
    group by all
),

serials_considered as (
    select serial_num
    from records
    where
        serial_num in (select serial_num from closed)
        and production_week_start in (select week_start from {{ ref("int_touched_week") }})
),

continuing as (
    select
        closed.serial_num,
        closed.product_name,
        closed.life_number,
        closed.last_tested_at,
        closed.last_load_id,
        records.test_timestamp,
        records.serial_reuse_days,
        lag(records.test_timestamp) over (
            partition by records.serial_num, records.product_name
            order by records.test_timestamp
        ) as tested_before
    from records
    inner join closed
        on records.serial_num = closed.serial_num
        and records.product_name = closed.product_name
    where records.serial_num in (select serial_num from serials_considered)
),

lives_counted as (
    select
        *,
        sum(
            case
                when
                    test_timestamp
                    > greatest(coalesce(tested_before, last_tested_at), last_tested_at)
                    + serial_reuse_days * interval '1 day'
                    then 1
                else 0
            end
        ) over (
            partition by serial_num, product_name
            order by test_timestamp
            range between unbounded preceding and current row
        ) as later_lives
    from continuing
),

final as (
    select
        serial_num,
        product_name,
        life_number,
        last_load_id,
        greatest(
            last_tested_at,
            coalesce(max(test_timestamp) filter (where later_lives = 0), last_tested_at)
        ) as continued_until
    from lives_counted
    group by serial_num, product_name, life_number, last_load_id, last_tested_at
)

select * from final
