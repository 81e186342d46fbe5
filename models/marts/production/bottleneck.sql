{{ config(
    materialized="incremental",
    partition_by="production_week_start",
    pre_hook="{{ clear_touched_weeks('int_touched_machine_week') }}",
) }}

with

times as (
    select *
    from {{ ref("int_machine_time") }}
    where line_id <> '' and {{ in_touched_weeks("production_week_start", "int_touched_machine_week") }}
),

machines as (
    select
        *,
        dense_rank() over (partition by line_id order by line_position) as place
    from {{ ref("int_line_machine") }}
),

weeks as (
    select
        times.production_week_start,
        times.line_id,
        times.machine_id,
        machines.place,
        round(sum(times.apt_s + times.aust_s + times.adet_s + times.adot_s), 6) as pbt_s,
        round(sum(times.apt_s + times.aust_s + times.adet_s), 6) as aubt_s,
        round(sum(times.starved_s), 6) as starved_s,
        round(sum(times.blocked_s), 6) as blocked_s,
        coalesce(sum(times.produced), 0)::bigint as produced,
        coalesce(sum(times.good), 0)::bigint as good
    from times
    inner join machines on times.machine_id = machines.machine_id
    group by all
),

places as (
    select
        production_week_start,
        line_id,
        place,
        sum(starved_s) as starved_s,
        sum(blocked_s) as blocked_s,
        sum(produced)::bigint as produced,
        sum(good)::bigint as good
    from weeks
    group by all
),

neighboured as (
    select
        weeks.production_week_start,
        weeks.line_id,
        weeks.machine_id,
        weeks.place::bigint as line_place,
        weeks.pbt_s,
        weeks.aubt_s,
        weeks.starved_s,
        weeks.blocked_s,
        round(before.blocked_s, 6) as upstream_blocked_s,
        round(after.starved_s, 6) as downstream_starved_s,
        before.good - here.produced as queue_change,
        {{ ratio("weeks.aubt_s", "weeks.pbt_s") }} as utilization
    from weeks
    inner join places as here
        on weeks.production_week_start = here.production_week_start
        and weeks.line_id = here.line_id
        and weeks.place = here.place
    left join places as before
        on weeks.production_week_start = before.production_week_start
        and weeks.line_id = before.line_id
        and weeks.place = before.place + 1
    left join places as after
        on weeks.production_week_start = after.production_week_start
        and weeks.line_id = after.line_id
        and weeks.place = after.place - 1
),

final as (
    select
        *,
        (row_number() over (
            partition by production_week_start, line_id
            order by
                utilization desc nulls last,
                coalesce(upstream_blocked_s, 0e0) + coalesce(downstream_starved_s, 0e0) desc,
                machine_id
        ))::bigint as utilization_rank
    from neighboured
)

select * from final
