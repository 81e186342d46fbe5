with

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

loads as (
    select
        sum(row_count) filter (where table_name = 'test_record' and status = 'loaded')::bigint as record_count,
        sum(reject_count) filter (where rejects_are_open)::bigint as reject_count,
        max(max_event_at) filter (where table_name = 'test_record' and status = 'loaded') as as_of
    from {{ ref("stg_load") }}
),

-- the wall time of the last test, as the loader converted it
last_attempts as (
    select
        max(records.test_timestamp_local) as as_of_local,
        max(records.production_date) as as_of_date
    from {{ ref("int_test_record_dated") }} as records
    inner join loads on records.test_timestamp = loads.as_of
),

weeks as (
    select
        min(load_week) as load_week_first,
        max(load_week) as load_week_last
    from {{ ref("summary_prod") }}
),

findings as (
    select count(*) as finding_count
    from {{ ref("data_quality") }}
    where severity in ('warning', 'error')
),

final as (
    select
        plant.plant_name,
        plant.timezone,
        plant.production_day_start_minutes,
        last_attempts.as_of_local,
        last_attempts.as_of_date,
        weeks.load_week_first,
        weeks.load_week_last,
        coalesce(loads.record_count, 0) as record_count,
        coalesce(loads.reject_count, 0) as reject_count,
        findings.finding_count
    from plant
    cross join loads
    cross join last_attempts
    cross join weeks
    cross join findings
)

select * from final
