-- Repair events, each once; of two versions the one with the higher hash.
{{ config(materialized="view") }}

with

reworks as (
    select * from {{ ref("stg_rework") }}
),

versions_ranked as (
    select
        *,
        concat(rework_timestamp::string, chr(31), component, chr(31), action) as rework_key,
        row_number() over (
            partition by serial_num, rework_timestamp, component, action
            order by record_hash desc, load_id asc
        ) as version_rank
    from reworks
)

select * from versions_ranked where version_rank = 1
