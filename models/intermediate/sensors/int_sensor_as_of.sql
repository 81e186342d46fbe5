-- One row: the plant's now, as far as its sensors tell: the newest arrival of a trusted reading or of a note on a gap.
-- Never the clock on the wall: the same records give the same figures, whenever they are built.
{{ config(materialized="view") }}

with

arrivals as (
    select last_arrived_at as arrived_at from {{ ref("sensor_day") }}
    union all
    select noted_at as arrived_at from {{ ref("stg_stream_gap") }}
)

select max(arrived_at) as as_of_at from arrivals
