-- One row per flagged day of a series of shares: by which detector (share against its past, peers against the other
-- machines), and how many units too few were good.
with

parameters as (
    select * from {{ ref("int_anomaly_parameter") }}
),

series as (
    select * from {{ ref("int_metric_series") }}
),

shares_judged as (
    {% for model, has_peers in [("int_share_judged", true), ("int_share_of_machine", false)] -%}
        select
            series_id,
            point_at_local,
            production_date,
            usual_share,
            numerator,
            denominator,
            z_1,
            z_2,
            z_5,
            usual_deviation,
        {% for column in ["z_peers", "peers_share", "peers_deviation", "week_numerator", "week_denominator"] -%}
            {{ column if has_peers else "null::double" }} as {{ column }}{{ "," if not loop.last }}
        {% endfor -%}
        from {{ ref(model) }}
        {{ "union all" if not loop.last }}
    {% endfor -%}
),

sizes as (
    select
        shares.*,
        -- of many products one is far off by chance sooner than all of a machine together; passing rates are of units
        -- that first pass yields were of, and scrap comes by lots
        series.sensitivity_factor * case
            when series.product_name is null and series.metric not in ('passing_rate', 'units_not_scrapped')
                then parameters.share
            else parameters.share_of_many
        end as share_limit,
        series.sensitivity_factor * parameters.peers as peers_limit,
        -1e0 * least(coalesce(shares.z_1, 0e0), coalesce(shares.z_2, 0e0), coalesce(shares.z_5, 0e0)) as share_size,
        coalesce(-1e0 * shares.z_peers, 0e0) / (series.sensitivity_factor * parameters.peers) as peers_ratio
    from shares_judged as shares
    inner join series
        on shares.series_id = series.series_id
        and series.sensitivity_factor is not null
    cross join parameters
),

shares as (
    select
        *,
        share_size / share_limit as share_ratio
    from sizes
),

final as (
    select
        series_id,
        'share' as detector,
        point_at_local as point_at,
        share_ratio as ratio,
        {{ ratio("numerator", "denominator") }} as observed,
        usual_share as expected,
        greatest(usual_share - share_limit * usual_deviation, 0e0) as lower_limit,
        greatest(usual_share * denominator - numerator, 0e0) as units_short,
        production_date
    from shares
    where share_ratio >= 1e0
    union all
    select
        series_id,
        'peers' as detector,
        point_at_local as point_at,
        peers_ratio as ratio,
        {{ ratio("week_numerator", "week_denominator") }} as observed,
        peers_share as expected,
        greatest(peers_share - peers_limit * peers_deviation, 0e0) as lower_limit,
        greatest(peers_share * denominator - numerator, 0e0) as units_short,
        production_date
    from shares
    where peers_ratio >= 1e0 and peers_ratio > share_ratio
)

select * from final
