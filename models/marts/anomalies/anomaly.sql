with

points as (
    select * from {{ ref("int_anomaly_point_merged") }}
),

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

peaks_ranked as (
    select
        *,
        row_number() over (
            partition by anomaly_id order by ratio desc, point_at asc, series_id asc, detector asc
        ) as peak_rank
    from points
),

troubles as (
    select
        anomaly_id,
        min(from_at) as started_at,
        max(to_at) as ended_at,
        min(production_date) as production_date,
        count(distinct series_id) as series_count,
        count(*) as point_count,
        sum(units_short) as units_short,
        max(to_at) as last_at
    from points
    group by anomaly_id
),

-- up to where each kind of series is known
horizons as (
    select
        series.entity_type,
        max(blocks.last_point_at) as horizon_at
    from {{ ref("int_metric_block") }} as blocks
    inner join {{ ref("int_metric_series") }} as series on blocks.series_id = series.series_id
    group by series.entity_type
),

stations as (
    select
        machine_id,
        production_date,
        sum(attempt_count)::bigint as attempt_count
    from {{ ref("station_day") }}
    group by machine_id, production_date
),

described as (
    select
        troubles.*,
        series.entity_type,
        series.entity,
        series.machine_id,
        series.line_id,
        series.metric,
        series.product_name,
        series.test_name,
        series.unit,
        series.is_critical,
        peaks.detector,
        peaks.point_at as peak_at,
        peaks.observed,
        peaks.expected,
        peaks.lower_limit,
        peaks.upper_limit,
        peaks.spread_factor,
        peaks.score,
        peaks.ratio,
        {{ seconds_between("troubles.started_at", "troubles.ended_at") }} as duration_s,
        coalesce(
            troubles.ended_at >= horizons.horizon_at - greatest(
                least(parameters.refractory_ticks * series.period_s, parameters.refractory_h * 3600e0),
                4 * series.period_s
            )::bigint * interval '1 second',
            false
        ) as is_open
    from troubles
    inner join peaks_ranked as peaks
        on troubles.anomaly_id = peaks.anomaly_id
        and peaks.peak_rank = 1
    inner join {{ ref("int_metric_series") }} as series on peaks.series_id = series.series_id
    left join horizons on series.entity_type = horizons.entity_type
    cross join parameters
),

stakes as (
    select
        described.anomaly_id,
        round(sum(stations.attempt_count) * least(max(described.duration_s) / 86400e0, 1e0))::bigint as attempt_count
    from described
    inner join stations
        on described.machine_id = stations.machine_id
        and stations.production_date between described.production_date and described.ended_at::date
    group by described.anomaly_id
),

judged as (
    select
        described.*,
        case
            when described.is_critical then 'critical'
            when described.detector = 'limit' or described.ratio >= 3e0 then 'high'
            when described.ratio >= 1.6e0 then 'medium'
            else 'low'
        end as severity,
        coalesce(round(described.units_short)::bigint, stakes.attempt_count, 0) as units_at_stake,
        concat(
            case
                when described.machine_id is null or described.entity = described.machine_id then ''
                else concat(described.machine_id, ', ')
            end,
            described.entity, ': ', replace(described.metric, '_', ' '),
            case when described.product_name is null then '' else concat(' of ', described.product_name) end,
            case when described.test_name is null then '' else concat(' at ', described.test_name) end
        ) as subject
    from described
    left join stakes on described.anomaly_id = stakes.anomaly_id
),

final as (
    select
        -- key
        anomaly_id,

        -- what it is about
        entity_type,
        entity,
        machine_id,
        line_id,
        metric,
        product_name,
        test_name,
        unit,
        detector,
        series_count,

        -- when
        production_date,
        started_at,
        ended_at,
        peak_at,
        is_open,

        -- how far off, at the peak
        observed,
        expected,
        lower_limit,
        upper_limit,
        spread_factor,
        score,
        point_count,

        -- how much it matters
        severity,
        units_at_stake,
        row_number() over (
            partition by production_date
            order by
                case severity when 'critical' then 1 when 'high' then 2 when 'medium' then 3 else 4 end asc,
                score desc,
                anomaly_id asc
        ) <= parameters.flags_per_day as is_within_budget,
        {{ anomaly_sentence() }} as sentence
    from judged
    cross join parameters
)

select * from final
