-- A table, not a view: it fixes which loads this build sees, whatever is loaded while it runs.
{{ config(materialized="table") }}

with

source as (
    select * from {{ source("raw", "load") }}
),

green as (
    select key as load_id from {{ source("ops", "ledger") }} where kind = 'load'
),

replayed as (
    select distinct replays as load_id from source where replays is not null
),

newest as (
    select
        table_name,
        max(load_id) as load_id
    from source
    where status = 'loaded'
    group by table_name
),

renamed as (
    select
        -- keys
        source.load_id,
        source.source,
        source.table_name,
        source.object,
        source.replays,

        -- outcome
        status,
        error,
        row_count,
        reject_count,
        coalesce(filtered_count, 0) as filtered_count,
        green.load_id is null as is_new,
        -- no replay took them over; of reference data and the calendar, the newest load counts
        replayed.load_id is null
        and (
            source.load_id = newest.load_id
            or (left(source.table_name, 4) <> 'ref_' and left(source.table_name, 9) <> 'calendar_')
        ) as rejects_are_open,

        -- times (UTC)
        started_at,
        finished_at,
        min_event_at,
        max_event_at
    from source
    left join green on source.load_id = green.load_id
    left join replayed on source.load_id = replayed.load_id
    left join newest on source.table_name = newest.table_name
)

select * from renamed
