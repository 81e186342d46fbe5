{{ config(
    materialized="incremental",
    partition_by="load_week_start",
    meta={"detail": true},
    pre_hook="{{ clear_touched_modules() }}",
) }}

{% set weeks_read = "select week_start from " ~ ref("int_week_read") %}

with

serials_read as (
    select serial_num from {{ ref("int_serial_read") }}
),

records as (
    select *
    from {{ ref("int_test_record_alive") }}
    {% if is_incremental() %}
        where
            serial_num in (select serial_num from serials_read)
            and {{ started_in_weeks("test_timestamp_local", weeks_read) }}
    {% endif %}
),

lives as (
    select * from {{ ref("int_module_life") }}
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

placed as (
    select
        deduplicated.*,
        coalesce(deduplicated.closed_lives, 0) + coalesce(lives.life_number, 1) as life_number,
        deduplicated.run_purpose = 'production' and deduplicated.test_result in ('pass', 'fail') as is_run
    from deduplicated
    left join lives
        on deduplicated.serial_num = lives.serial_num
        and deduplicated.product_name = lives.product_name
        and deduplicated.test_timestamp = lives.test_timestamp
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

-- by week, so that what looks at some weeks finds them together
select * from final order by load_week_start
