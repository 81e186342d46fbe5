with

recent as (
    select
        *,
        {{ seconds_between("started_at", "ended_at") }} as duration_s
    from {{ ref("anomaly") }}
    where
        is_within_budget
        and production_date
        > (select max(production_date) from {{ ref("anomaly") }}) - {{ var("anomaly_context_days") }}
),

-- the series of the peak, and how far around the trouble it is shown
windows as (
    select
        recent.anomaly_id,
        recent.detector,
        series.series_id,
        series.lower_limit,
        series.upper_limit,
        recent.started_at - greatest(
            case when series.period_s > 3600e0 then 28e0 else 90e0 end * series.period_s, recent.duration_s
        )::bigint * interval '1 second' as from_at,
        recent.ended_at + greatest(
            case when series.period_s > 3600e0 then 7e0 else 30e0 end * series.period_s, recent.duration_s / 2e0
        )::bigint * interval '1 second' as to_at
    from recent
    inner join {{ ref("anomaly_point") }} as peaks
        on recent.anomaly_id = peaks.anomaly_id
        and recent.detector = peaks.detector
        and recent.peak_at = peaks.point_at
    inner join {{ ref("int_metric_series") }} as series on peaks.series_id = series.series_id
    qualify row_number() over (
        partition by recent.anomaly_id order by peaks.score desc, peaks.series_id asc
    ) = 1
),

shares as (
    select
        shares.series_id,
        shares.point_at_local as point_at,
        shares.production_date,
        {{ ratio("shares.numerator", "shares.denominator") }} as observed,
        shares.usual_share as expected,
        greatest(
            shares.usual_share - series.sensitivity_factor * parameters.share * shares.usual_deviation, 0e0
        ) as lower_limit
    from {{ ref("int_share_judged") }} as shares
    inner join {{ ref("int_metric_series") }} as series on shares.series_id = series.series_id
    cross join {{ ref("int_anomaly_parameter") }} as parameters
),

values_around as (
    select
        windows.anomaly_id,
        windows.detector,
        windows.lower_limit as series_lower_limit,
        windows.upper_limit as series_upper_limit,
        points.point_at,
        points.production_date,
        points.value,
        points.expected,
        case windows.detector
            when 'spike' then points.spike_band
            when 'shift' then points.shift_band
            when 'drift' then points.drift_band
            else points.any_band
        end as band
    from windows
    inner join {{ ref("int_anomaly_surrounding") }} as points
        on windows.series_id = points.series_id
        and points.point_at between windows.from_at and windows.to_at
),

around as (
    select
        anomaly_id,
        point_at,
        production_date,
        value as observed,
        case when detector <> 'limit' then expected end as expected,
        case when detector = 'limit' then series_lower_limit else expected - band end as lower_limit,
        case when detector = 'limit' then series_upper_limit else expected + band end as upper_limit
    from values_around
    union all
    select
        windows.anomaly_id,
        shares.point_at,
        shares.production_date,
        shares.observed,
        shares.expected,
        shares.lower_limit,
        null::double as upper_limit
    from windows
    inner join shares
        on windows.series_id = shares.series_id
        and shares.point_at between windows.from_at and windows.to_at
),

flagged as (
    select points.*
    from {{ ref("anomaly_point") }} as points
    inner join windows
        on points.anomaly_id = windows.anomaly_id
        and points.series_id = windows.series_id
    qualify row_number() over (
        partition by points.anomaly_id, points.point_at order by points.score desc, points.detector asc
    ) = 1
),

-- what is flagged may be no point of its own: the end of a gap; and a limit is broken by the extreme of a minute
joined as (
    select
        coalesce(around.anomaly_id, flagged.anomaly_id) as anomaly_id,
        coalesce(around.point_at, flagged.point_at) as point_at,
        coalesce(around.production_date, flagged.production_date) as production_date,
        coalesce(flagged.observed, around.observed) as observed,
        coalesce(around.expected, flagged.expected) as expected,
        coalesce(around.lower_limit, flagged.lower_limit) as lower_limit,
        coalesce(around.upper_limit, flagged.upper_limit) as upper_limit,
        flagged.anomaly_id is not null as is_flagged,
        flagged.score
    from around
    full outer join flagged
        on around.anomaly_id = flagged.anomaly_id
        and around.point_at = flagged.point_at
),

numbered as (
    select
        *,
        row_number() over (partition by anomaly_id order by point_at) - 1 as place,
        count(*) over (partition by anomaly_id) as point_count
    from joined
),

-- of so many points that lie side by side one: the one furthest off, if any was flagged
thinned as (
    select *
    from numbered
    qualify row_number() over (
        partition by anomaly_id, floor(place / ceil(point_count / {{ var("anomaly_context_points") }}e0))
        order by score desc nulls last, point_at asc
    ) = 1
),

final as (
    select
        anomaly_id,
        point_at,
        production_date,
        observed,
        expected,
        lower_limit,
        upper_limit,
        is_flagged
    from thinned
)

select * from final
