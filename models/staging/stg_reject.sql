with

source as (
    select * from {{ source("raw", "reject") }}
),

loads as (
    select * from {{ ref("stg_load") }} where status = 'loaded'
),

renamed as (
    select
        source.load_id,
        source.table_name,
        source.row as record_row,
        source.record,
        source.reason,
        loads.is_new,
        loads.rejects_are_open as is_open
    from source
    inner join loads on source.load_id = loads.load_id
)

select * from renamed
