-- A table, not a view: it fixes which loads this build sees, whatever is loaded while it runs.
{{ config(materialized="table") }}

with

source as (
    select * from {{ source("raw", "load") }}
),

green as (
    select key as load_id from {{ source("ops", "ledger") }} where kind = 'load'
),

renamed as (
    select
        -- keys
        source.load_id,
        source.source,
        table_name,
        object,

        -- outcome
        status,
        error,
        row_count,
        reject_count,
        coalesce(filtered_count, 0) as filtered_count,
        green.load_id is null as is_new,

        -- times (UTC)
        started_at,
        finished_at,
        min_event_at,
        max_event_at
    from source
    left join green on source.load_id = green.load_id
)

select * from renamed
