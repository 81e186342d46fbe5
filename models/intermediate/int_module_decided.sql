-- One row per module with a decision on it: the last between its first record and the end of its life.
{{ config(materialized="view") }}

with

modules as (
    select * from {{ ref("int_module_progressed") }}
),

decisions as (
    select * from {{ ref("stg_disposition") }}
),

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

decisions_ranked as (
    select
        modules.serial_num,
        modules.product_name,
        modules.life_number,
        decisions.decision,
        decisions.decided_at,
        row_number() over (
            partition by modules.serial_num, modules.product_name, modules.life_number
            order by decisions.decided_at desc, decisions.decision desc, decisions.record_hash desc
        ) as decision_rank
    from modules
    cross join plant
    inner join decisions
        on modules.serial_num = decisions.serial_num
        and {{ within_life("decisions.decided_at") }}
)

select * from decisions_ranked where decision_rank = 1
