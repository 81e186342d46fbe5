-- Readings with their minute. Left out are those of minutes that can't be made again, since other readings of them are
-- gone: they came too late (int_finding_sensor).
{{ config(materialized="view") }}

with

readings as (
    select * from {{ ref("stg_sensor_reading") }} where {{ is_kept("sensor_reading", "reading_at_local") }}
),

final as (
    select
        *,
        date_trunc('minute', reading_at)::timestamp as minute_at
    from readings
)

select * from final
