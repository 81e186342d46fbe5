-- Each gap of a stream, as it was noted last.
{{ config(materialized="view") }}

with

plant as (
    select * from {{ ref("stg_ref_plant") }}
),

notes_ranked as (
    select
        *,
        row_number() over (
            partition by source, stream, gap_start_at
            order by noted_at desc, gap_end_at desc nulls last, record_hash desc
        ) as note_rank
    from {{ ref("stg_stream_gap") }}
),

gaps as (
    select
        notes_ranked.*,
        date_trunc('week', {{ production_date("notes_ranked.gap_start_at_local") }})::date as week_start,
        date_trunc('second', notes_ranked.gap_start_at_local)::timestamp::string as start_text,
        date_trunc('second', notes_ranked.gap_end_at_local)::timestamp::string as end_text
    from notes_ranked
    cross join plant
    where notes_ranked.note_rank = 1
),

final as (
    select
        'stream_gap' as finding,
        case when coalesce(is_replayed, false) then 'info' else 'warning' end as severity,
        'stream_gap' as table_name,
        {{ week_label("week_start") }} as load_week,
        null::string as product_name,
        null::string as test_name,
        null::string as machine_id,
        concat(
            source, ': ', reason, case when end_text is null then ', since ' else ', ' end, start_text,
            case when end_text is null then '' else concat(' to ', end_text) end,
            case when lost_count > 0 then concat(', ', lost_count::string, ' messages lost') else '' end
        ) as detail,
        1::bigint as finding_count,
        stream as example
    from gaps
)

select * from final
