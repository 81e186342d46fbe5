-- One row per sensor that sensors.csv names; of several lines about one sensor the first counts.
{{ config(materialized="view") }}

with

lines_ranked as (
    select
        *,
        count(*) over (partition by sensor_id) as line_count,
        row_number() over (partition by sensor_id order by line_number) as line_rank
    from {{ ref("stg_ref_sensors") }}
)

select * from lines_ranked where line_rank = 1
