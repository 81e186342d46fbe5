-- Classes of gaps between cycles: one row per machine that has some of its own, and class; machine '' for all others.
-- A gap is of the class if it is longer than longer_than_us and no longer than up_to_us.
{{ config(materialized="view") }}

with

lines as (
    select
        coalesce(machine_id, '') as machine_id,
        stop_class,
        round(longer_than_s * 1e6)::bigint as longer_than_us,
        counts_as,
        coalesce(is_failure, false) as is_failure,
        line_number
    from {{ ref("stg_ref_stop_classes") }}
),

defaults (stop_class, longer_than_us, counts_as, line_number) as (
    values ('micro', 5000000, 'performance', 1), ('minor', 60000000, 'performance', 2), ('stop', 300000000, 'delay', 3)
),

classes as (
    select * from lines
    union all
    select
        '' as machine_id,
        stop_class,
        longer_than_us::bigint as longer_than_us,
        counts_as,
        false as is_failure,
        line_number::bigint as line_number
    from defaults
    where not exists (select 1 from lines where machine_id = '')
),

final as (
    select
        machine_id,
        stop_class,
        longer_than_us,
        lead(longer_than_us) over (partition by machine_id order by longer_than_us asc, line_number desc) as up_to_us,
        counts_as,
        is_failure
    from classes
)

select * from final
