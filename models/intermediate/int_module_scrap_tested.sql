-- One row per module that was tested while a decision in force said that it is scrap.
with

attempts as (
    select * from {{ ref("test_attempt") }}
),

modules as (
    select * from {{ ref("int_module_progressed") }}
),

decisions as (
    select
        *,
        lead(decided_at) over (
            partition by serial_num
            order by decided_at, decision, record_hash
        ) as next_decided_at
    from {{ ref("stg_disposition") }}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

final as (
    select distinct
        modules.serial_num,
        modules.product_name,
        modules.life_number
    from decisions
    cross join plant
    inner join modules
        on decisions.serial_num = modules.serial_num
        and {{ within_life("decisions.decided_at") }}
    inner join attempts
        on modules.serial_num = attempts.serial_num
        and modules.product_name = attempts.product_name
        and modules.life_number = attempts.life_number
    where
        decisions.decision = 'scrap'
        and attempts.attempt_number > 0
        and attempts.test_timestamp > decisions.decided_at
        and attempts.test_timestamp <= coalesce(decisions.next_decided_at, attempts.test_timestamp)
)

select * from final
