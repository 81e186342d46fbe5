-- Repairs and decisions: what happens to a module besides tests.
{{ config(materialized="view") }}

with

final as (
    select
        'rework' as table_name,
        serial_num,
        rework_timestamp as happened_at,
        load_id
    from {{ ref("int_rework_deduplicated") }}
    union all
    select
        'disposition' as table_name,
        serial_num,
        decided_at as happened_at,
        load_id
    from {{ ref("stg_disposition") }}
)

select * from final
