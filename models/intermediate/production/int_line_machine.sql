-- One row per machine that stands in a line, with its place there. Where line_position is empty for all of a line's
-- machines, each of them is its last: they stand side by side.
{{ config(materialized="view") }}

with

lines_ranked as (
    select
        *,
        row_number() over (partition by machine_id order by line_number) as line_rank
    from {{ ref("stg_ref_machines") }}
),

machines as (
    select
        machine_id,
        line_id,
        coalesce(line_position, 0)::bigint as line_position,
        coalesce(is_constraint, false) as is_marked
    from lines_ranked
    where line_rank = 1 and line_id <> ''
),

final as (
    select
        machine_id,
        line_id,
        line_position,
        line_position = max(line_position) over line as is_last,
        -- where no line_constraints.csv says otherwise
        case when bool_or(is_marked) over line then is_marked else line_position = max(line_position) over line end
            as is_constraint
    from machines
    window line as (partition by line_id)
)

select * from final
