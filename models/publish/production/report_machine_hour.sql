-- The hours of a week, of the latest weeks: as many weeks as the heat map adds up.
select
    machine_id,
    line_id,
    floor(
        {{ seconds_between("date_trunc('week', hour_local)::timestamp", "hour_local") }} / 3600
    )::bigint as hour_of_week,
    min(production_week_start) as first_week_start,
    max(production_week_start) as last_week_start,
    sum(pbt_s) as pbt_s,
    sum(apt_s) as apt_s,
    sum(produced)::bigint as produced
from {{ ref("machine_utilization") }}
where {{ in_latest_weeks(var("report_hour_weeks")) }}
group by 1, 2, 3
