-- Spans between recorded changes of the process, one row per series and span; none for a series that was never changed.
-- What was usual before a change is no measure of what comes after.
with

changes as (
    select distinct
        series.series_id,
        changes.changed_at
    from {{ ref("stg_process_change") }} as changes
    inner join {{ ref("int_metric_series") }} as series
        on changes.entity in (series.entity, series.machine_id, series.line_id, series.product_name)
        and coalesce(changes.metric = series.metric, true)
),

final as (
    select
        series_id,
        row_number() over by_time as baseline_number,
        changed_at as from_at,
        coalesce(lead(changed_at) over by_time, timestamp '9999-01-01') as to_at
    from changes
    window by_time as (partition by series_id order by changed_at)
)

select * from final
