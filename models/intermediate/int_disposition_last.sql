-- The last decision on each serial number.
{{ config(materialized="view") }}

with

dispositions as (
    select * from {{ ref("stg_disposition") }}
),

decisions_ranked as (
    select
        *,
        row_number() over (
            partition by serial_num
            order by decided_at desc, decision desc, record_hash desc, load_id asc
        ) as decision_rank
    from dispositions
)

select * from decisions_ranked where decision_rank = 1
