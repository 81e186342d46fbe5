-- One row per line and occurrence of a shift: the troubles flagged on the line that fall into it, most severe first.
-- Of a plant that does not look for any, the count is NULL, which is not 0.
with

shifts as (
    select * from {{ ref("int_shift_end") }}
),

{% if "anomalies" in var("subjects") %}
    anomalies as (
        select
            *,
            coalesce(line_id, '(none)') as line,
            -- series of sensors are in UTC, daily ones in plant time
            entity_type in ('station', 'source') as is_daily,
            case severity when 'critical' then 1 when 'high' then 2 when 'medium' then 3 else 4 end as severity_rank
        from {{ ref("anomaly") }}
        where is_within_budget
    ),

    final as (
        select
            shifts.line_id,
            shifts.shift_start_at,
            count(anomalies.anomaly_id) as anomaly_count,
            {{ listed(
                "anomalies.sentence", "anomalies.severity_rank, anomalies.started_at, anomalies.anomaly_id", "; "
            ) }} as anomalies
        from shifts
        left join anomalies
            on shifts.line_id = anomalies.line
            and case when is_daily then shifts.known_until_local else shifts.known_until end > anomalies.started_at
            and case when is_daily then shifts.shift_start_local else shifts.shift_start_at end < anomalies.ended_at
        group by all
    )
{% else %}
    final as (
        select
            line_id,
            shift_start_at,
            null::bigint as anomaly_count,
            null::string as anomalies
        from shifts
    )
{% endif %}

select * from final
