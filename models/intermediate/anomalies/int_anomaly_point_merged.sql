-- One row per flagged point, of whatever kind, with the trouble (anomaly_id) that it is part of. Points of a series
-- make one trouble until it has been quiet for the refractory time; troubles of a machine's series that overlap, or all
-- but overlap, are one.
with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

series as (
    select * from {{ ref("int_metric_series") }}
),

flags as (
    select
        series_id,
        detector,
        point_at,
        ratio,
        value as observed,
        expected,
        expected - band as lower_limit,
        expected + band as upper_limit,
        coalesce(lasted_ticks, 0e0) as lasted_ticks,
        spread_factor,
        null::double as units_short,
        production_date
    from {{ ref("int_anomaly_flag") }}
    union all
    select
        series_id,
        detector,
        point_at,
        ratio,
        observed,
        expected,
        lower_limit,
        null::double as upper_limit,
        0e0 as lasted_ticks,
        null::double as spread_factor,
        units_short,
        production_date
    from {{ ref("int_share_flag") }}
    union all
    select
        series_id,
        'missing' as detector,
        point_at,
        gap_ticks / parameters.gap_least as ratio,
        null::double as observed,
        null::double as expected,
        null::double as lower_limit,
        null::double as upper_limit,
        gap_ticks as lasted_ticks,
        null::double as spread_factor,
        null::double as units_short,
        production_date
    from {{ ref("int_missing_now") }}
    cross join parameters
),

spans as (
    select
        flags.*,
        series.entity_type,
        series.place,
        series.line_id,
        series.period_s,
        flags.point_at - (flags.lasted_ticks * series.period_s)::bigint * interval '1 second' as from_at,
        case
            when flags.detector = 'missing' then flags.point_at
            else flags.point_at + series.period_s::bigint * interval '1 second'
        end as to_at,
        greatest(
            least(parameters.refractory_ticks * series.period_s, parameters.refractory_h * 3600e0), 4 * series.period_s
        )::bigint as refractory_s,
        greatest(least(parameters.merge_ticks * series.period_s, parameters.merge_h * 3600e0), series.period_s)::bigint
            as merge_s,
        parameters.silent_share
    from flags
    inner join series on flags.series_id = series.series_id
    cross join parameters
),

lines as (
    select
        coalesce(line_id, '') as line_key,
        count(*) as series_count
    from series
    where entity_type = 'sensor'
    group by coalesce(line_id, '')
),

-- much of a line silent at once: it stood, or its gateway did, and no sensor of it is at fault
silences as (
    select
        spans.series_id,
        spans.point_at
    from spans
    inner join spans as others
        on coalesce(spans.line_id, '') = coalesce(others.line_id, '')
        and others.detector = 'missing'
        and spans.to_at > others.from_at
        and spans.from_at < others.to_at
    inner join lines on coalesce(spans.line_id, '') = lines.line_key
    where spans.detector = 'missing' and spans.entity_type = 'sensor'
    group by spans.series_id, spans.point_at
    having
        count(distinct others.series_id) >= 3
        and count(distinct others.series_id) >= max(spans.silent_share) * max(lines.series_count)
),

kept as (
    select spans.*
    from spans
    left join silences
        on spans.series_id = silences.series_id
        and spans.point_at = silences.point_at
        and spans.detector = 'missing'
    where silences.series_id is null
),

points_started as (
    select
        *,
        coalesce(
            from_at > max(to_at) over (
                partition by series_id order by from_at, point_at, detector
                rows between unbounded preceding and 1 preceding
            ) + refractory_s * interval '1 second',
            true
        ) as is_start
    from kept
),

points_numbered as (
    select
        *,
        sum(is_start::int) over (partition by series_id order by from_at, point_at, detector) as series_episode
    from points_started
),

episodes as (
    select
        series_id,
        series_episode,
        min(concat(entity_type, ':', coalesce(place, series_id))) as group_key,
        min(from_at) as from_at,
        max(to_at) as to_at,
        max(merge_s) as merge_s
    from points_numbered
    group by series_id, series_episode
),

episodes_started as (
    select
        *,
        coalesce(
            from_at > max(to_at) over (
                partition by group_key order by from_at, to_at, series_id
                rows between unbounded preceding and 1 preceding
            ) + merge_s * interval '1 second',
            true
        ) as is_start
    from episodes
),

episodes_numbered as (
    select
        *,
        sum(is_start::int) over (partition by group_key order by from_at, to_at, series_id) as group_episode
    from episodes_started
),

episodes_named as (
    select
        *,
        concat(
            min(series_id) over (partition by group_key, group_episode), ' @ ',
            date_trunc('second', min(from_at) over (partition by group_key, group_episode))::timestamp::string
        ) as anomaly_id
    from episodes_numbered
),

final as (
    select
        episodes_named.anomaly_id,
        points_numbered.series_id,
        points_numbered.detector,
        points_numbered.point_at,
        points_numbered.from_at,
        points_numbered.to_at,
        points_numbered.ratio,
        -- 1 half, 2 four fifths, 3 nine tenths
        points_numbered.ratio * points_numbered.ratio
        / (1e0 + points_numbered.ratio * points_numbered.ratio) as score,
        points_numbered.observed,
        points_numbered.expected,
        points_numbered.lower_limit,
        points_numbered.upper_limit,
        points_numbered.spread_factor,
        points_numbered.units_short,
        points_numbered.production_date
    from points_numbered
    inner join episodes_named
        on points_numbered.series_id = episodes_named.series_id
        and points_numbered.series_episode = episodes_named.series_episode
)

select * from final
