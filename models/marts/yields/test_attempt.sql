{{ config(
    materialized="incremental",
    incremental_strategy="append",
    on_schema_change="fail",
    pre_hook="{{ clear_touched_weeks('load_week_start') }}",
) }}

with

dated as (
    select * from {{ ref("int_test_record_dated") }}
),

-- every record of each serial number that has one in a week being written
records as (
    select *
    from dated
    {% if is_incremental() %}
        where serial_num in (select serial_num from dated where {{ in_touched_weeks("production_week_start") }})
    {% endif %}
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
    from records
    window same_key as (partition by serial_num, test_name, test_timestamp, machine_id, product_name)
),

deduplicated as (
    select * from copies_ranked where copy_rank = 1
),

-- a serial number that comes back after serial_reuse_days is another module
gaps as (
    select
        serial_num,
        product_name,
        test_timestamp,
        lag(test_timestamp) over (partition by serial_num, product_name order by test_timestamp)
        + serial_reuse_days * interval '1 day' as reusable_after
    from deduplicated
    where serial_num in (
        select serial_num
        from deduplicated
        group by serial_num
        having max(test_timestamp) > min(test_timestamp) + max(serial_reuse_days) * interval '1 day'
    )
),

lives as (
    select distinct
        serial_num,
        product_name,
        test_timestamp as begins_at
    from gaps
    where test_timestamp > reusable_after
),

lives_numbered as (
    select
        gaps.serial_num,
        gaps.product_name,
        gaps.test_timestamp,
        count(distinct lives.begins_at) + 1 as life_number
    from gaps
    inner join lives
        on gaps.serial_num = lives.serial_num
        and gaps.product_name = lives.product_name
        and gaps.test_timestamp >= lives.begins_at
    group by all
),

placed as (
    select
        deduplicated.*,
        coalesce(lives_numbered.life_number, 1) as life_number,
        deduplicated.run_purpose = 'production' and deduplicated.test_result in ('pass', 'fail') as is_run
    from deduplicated
    left join lives_numbered
        on deduplicated.serial_num = lives_numbered.serial_num
        and deduplicated.product_name = lives_numbered.product_name
        and deduplicated.test_timestamp = lives_numbered.test_timestamp
),

attempts_numbered as (
    select
        *,
        min(production_week_start) over (partition by serial_num, product_name, life_number) as load_week_start,
        row_number() over (
            partition by serial_num, product_name, life_number
            order by test_timestamp, machine_id, test_result, record_hash
        ) as attempt_number
    from placed
),

runs_numbered as (
    select
        *,
        case when is_run then row_number() over run_order end as run_number,
        case when is_run then lead(attempt_number) over run_order is null end as is_last_run
    from attempts_numbered
    where {{ in_touched_weeks("load_week_start") }}
    window run_order as (
        partition by serial_num, product_name, life_number, test_name, is_run
        order by attempt_number
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
        run_number,
        is_last_run,

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
    from runs_numbered
)

select * from final
