-- One row per measured value, copies once, with the attempt it was measured in: serial number, test and start name
-- it. The product is NULL where no such attempt is known. Of values that contradict each other the one with the
-- highest hash counts.
{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    meta={"detail": true},
    pre_hook="{{ clear_touched_weeks('int_touched_chart_week') }}",
) }}

with

measurements as (
    select
        measurements.*,
        {{ production_date("measurements.test_timestamp_local") }} as production_date,
        date_trunc('week', {{ production_date("measurements.test_timestamp_local") }})::date as production_week_start
    from {{ ref("stg_test_measurement") }} as measurements
    cross join {{ ref("stg_ref_plant") }} as plant
    {% if is_incremental() %}
        where {{ started_in_weeks(
            "measurements.test_timestamp_local", "select week_start from " ~ ref("int_touched_chart_week")
        ) }}
    {% endif %}
),

copies_ranked as (
    select
        *,
        count(*) over same_key as copy_count,
        min(record_hash) over same_key <> max(record_hash) over same_key as is_conflict,
        row_number() over (
            partition by serial_num, test_name, test_timestamp, parameter
            order by record_hash desc nulls last, record_flags asc nulls last
        ) as copy_rank
    from measurements
    where
        {{ is_open("production_week_start") }}
        and {{ in_touched_weeks("production_week_start", "int_touched_chart_week") }}
    window same_key as (partition by serial_num, test_name, test_timestamp, parameter)
),

-- two attempts that begin at one moment on two machines can't be told apart
attempts as (
    select
        *,
        count(*) over (partition by serial_num, test_name, test_timestamp) as candidate_count
    from {{ ref("test_attempt") }}
    where {{ in_touched_weeks("production_week_start", "int_touched_chart_week") }}
    qualify row_number() over (
        partition by serial_num, test_name, test_timestamp order by product_name, machine_id, life_number
    ) = 1
),

final as (
    select
        -- keys
        measured.serial_num,
        measured.test_name,
        measured.test_timestamp,
        measured.test_timestamp_local,
        measured.parameter,

        -- value
        measured.value,
        measured.unit,
        measured.lower_limit,
        measured.upper_limit,

        -- attempt
        attempts.product_name,
        attempts.life_number,
        attempts.machine_id,
        attempts.run_purpose,
        attempts.run_number,
        attempts.test_result,

        -- record
        measured.copy_count,
        measured.is_conflict,
        coalesce(attempts.candidate_count, 0) as candidate_count,

        -- calendar
        measured.production_date,
        measured.production_week_start
    from copies_ranked as measured
    left join attempts
        on measured.serial_num = attempts.serial_num
        and measured.test_name = attempts.test_name
        and measured.test_timestamp = attempts.test_timestamp
    where measured.copy_rank = 1
)

select * from final
