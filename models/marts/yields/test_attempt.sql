{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    meta={"detail": true},
    pre_hook="{{ clear_touched_weeks() }}",
) }}

with

dated as (
    select * from {{ ref("int_test_record_open") }}
),

continued as (
    select * from {{ ref("int_module_continued") }}
),

serials_considered as (
    select serial_num from dated where {{ in_touched_weeks("production_week_start") }}
),

-- every record of each serial number that has one in a week being written
records as (
    select *
    from dated
    {% if is_incremental() %}
        where serial_num in (select serial_num from serials_considered)
    {% endif %}
),

-- a module whose load week is closed no longer changes
in_open_lives as (
    select
        records.*,
        coalesce(continued.life_number, 0) as closed_lives
    from records
    left join continued
        on records.serial_num = continued.serial_num
        and records.product_name = continued.product_name
    where continued.serial_num is null or records.test_timestamp > continued.continued_until
),

copies_ranked as (
    select
        *,
        count(*) over same_key as copy_count,
        min(record_hash) over same_key <> max(record_hash) over same_key as is_conflict,
        row_number() over (
            partition by serial_num, test_name, test_timestamp, machine_id, product_name
            order by revision desc nulls last, record_hash desc nulls last, record_flags asc nulls last
        ) as copy_rank
    from in_open_lives
    window same_key as (partition by serial_num, test_name, test_timestamp, machine_id, product_name)
),

deduplicated as (
    select * from copies_ranked where copy_rank = 1
),

-- a serial number that comes back after serial_reuse_days is another module
long_lived as (
    select serial_num
    from deduplicated
    group by serial_num
    having
        bool_or(run_purpose = 'production')
        and max(test_timestamp) > min(test_timestamp) + max(serial_reuse_days) * interval '1 day'
),

gaps as (
    select
        serial_num,
        product_name,
        test_timestamp,
        lag(test_timestamp) over (partition by serial_num, product_name order by test_timestamp)
        + serial_reuse_days * interval '1 day' as reusable_after
    from deduplicated
    where serial_num in (select serial_num from long_lived)
),

lives_numbered as (
    select distinct
        serial_num,
        product_name,
        test_timestamp,
        1 + (
            sum(case when test_timestamp > reusable_after then 1 else 0 end) over (
                partition by serial_num, product_name
                order by test_timestamp
                range between unbounded preceding and current row
            )
        )::bigint as life_number
    from gaps
),

placed as (
    select
        deduplicated.*,
        deduplicated.closed_lives + coalesce(lives_numbered.life_number, 1) as life_number,
        deduplicated.run_purpose = 'production' and deduplicated.test_result in ('pass', 'fail') as is_run
    from deduplicated
    left join lives_numbered
        on deduplicated.serial_num = lives_numbered.serial_num
        and deduplicated.product_name = lives_numbered.product_name
        and deduplicated.test_timestamp = lives_numbered.test_timestamp
),

-- a unit that is never in production (a golden unit, say) is no module: each of its attempts counts in its own week,
-- or one more attempt would touch years
attempts_numbered as (
    select
        *,
        case
            when bool_or(run_purpose = 'production') over module then min(production_week_start) over module
            else production_week_start
        end as load_week_start,
        case when bool_or(run_purpose = 'production') over module then (row_number() over module_order)::bigint end
            as attempt_number
    from placed
    window
        module as (partition by serial_num, product_name, life_number),
        module_order as (
            partition by serial_num, product_name, life_number
            order by test_timestamp, machine_id, test_result, record_hash
        )
),

final as (
    select
        -- keys
        serial_num,
        product_name,
        life_number,
        test_name,
        machine_id,
        test_timestamp,
        test_timestamp_local,

        -- calendar
        production_date,
        production_week_start,
        load_week_start,
        {{ week_label("load_week_start") }} as load_week,

        -- result
        test_result,
        test_duration_s,
        error_code,
        run_purpose,

        -- place in the module's life
        attempt_number,
        case when is_run then (row_number() over run_order)::bigint end as run_number,
        case when is_run then lead(attempt_number) over run_order is null end as is_last_run,

        -- circumstances
        fixture_id,
        fixture_slot,
        lot_number,
        work_order_id,
        software_version,

        -- record
        copy_count,
        is_conflict,
        record_flags,
        record_hash
    from attempts_numbered
    where {{ in_touched_weeks("load_week_start") }}
    window run_order as (
        partition by serial_num, product_name, life_number, test_name, is_run
        order by attempt_number
    )
)

select * from final
