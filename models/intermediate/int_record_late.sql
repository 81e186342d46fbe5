-- Records of open weeks that came too late, by production week, product and test: their modules' load weeks are closed.
-- What such modules have in these weeks, less what was counted before those weeks were closed.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks() }}",
) }}

with

records as (
    select *
    from {{ ref("int_test_record_open") }}
    where {{ some_week_is_closed() }} and {{ in_touched_weeks("production_week_start") }}
),

continued as (
    select * from {{ ref("int_module_continued") }}
),

received as (
    select
        records.production_week_start,
        records.product_name,
        records.test_name,
        count(*) as record_count,
        coalesce(
            min(records.serial_num) filter (where records.load_id > continued.last_load_id), min(records.serial_num)
        ) as example
    from records
    inner join continued
        on records.serial_num = continued.serial_num
        and records.product_name = continued.product_name
        and records.test_timestamp <= continued.continued_until
    group by all
),

counted as (
    select
        production_week_start,
        product_name,
        test_name,
        sum(record_count)::bigint as record_count
    from {{ ref("int_station_day") }}
    where not {{ is_open("load_week_start") }} and {{ in_touched_weeks("production_week_start") }}
    group by all
),

final as (
    select
        received.production_week_start,
        received.product_name,
        received.test_name,
        received.record_count - coalesce(counted.record_count, 0) as record_count,
        received.example
    from received
    left join counted
        on received.production_week_start = counted.production_week_start
        and received.product_name = counted.product_name
        and received.test_name = counted.test_name
)

select * from final where record_count > 0
