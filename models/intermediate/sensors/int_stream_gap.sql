-- One row per gap of a stream, as it was noted last.
{{ config(materialized="view") }}

with

notes_ranked as (
    select
        *,
        row_number() over (
            partition by source, stream, gap_start_at
            order by noted_at desc, gap_end_at desc nulls last, record_hash desc
        ) as note_rank
    from {{ ref("stg_stream_gap") }}
)

select * from notes_ranked where note_rank = 1
