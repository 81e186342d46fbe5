-- One row per product, test and parameter with a chart of values that pools all machines: σ within subgroups in the
-- time of process_capability, with its degrees of freedom, and whether the chart says that the process is stable. The
-- first configured chart by name counts. On a stable process about one point in a hundred still fires rule 1 or 2;
-- that is `stable_but_for_chance` up to the 99 % bound of such a count, and while no mean is beyond 4.5 standard
-- errors.
with

series as (
    select
        product_name,
        test_name,
        parameter,
        min(production_date) as first_date
    from {{ ref("int_capability_value") }}
    group by product_name, test_name, parameter
),

charts as (
    select
        points.chart_id,
        points.product_name,
        points.test_name,
        points.parameter
    from {{ ref("int_chart_point") }} as points
    where points.chart_type in ('xbar-r', 'xbar-s', 'imr') and points.machine_id is null
    group by points.chart_id, points.product_name, points.test_name, points.parameter
    -- individuals that are means say nothing of single values
    having max(case when points.is_of_singles then points.sample_size else 1 end) = 1
    qualify row_number() over (
        partition by points.product_name, points.test_name, points.parameter order by points.chart_id
    ) = 1
),

points as (
    select points.*
    from {{ ref("int_chart_point") }} as points
    inner join charts on points.chart_id = charts.chart_id
    inner join series
        on charts.product_name = series.product_name
        and charts.test_name = series.test_name
        and charts.parameter = series.parameter
        and points.production_date >= series.first_date
),

spreads as (
    select
        chart_id,
        product_name,
        test_name,
        parameter,
        {{ ratio(
            "sum(sigma_weight * sigma_estimate)", "sum(case when sigma_estimate is not null then sigma_weight end)"
        ) }} as sigma_within,
        floor(sum(case when sigma_estimate is not null then sigma_weight end) / 2e0)::bigint as degrees_within,
        count(*) as point_count,
        min(production_date) as first_date
    from points
    group by chart_id, product_name, test_name, parameter
),

signals as (
    select
        signals.chart_id,
        count(distinct signals.point_number) as signal_count,
        max(case when signals.panel = 'location' then abs(signals.deviation_sigma) end) as farthest
    from {{ ref("control_chart_signal") }} as signals
    inner join spreads
        on signals.chart_id = spreads.chart_id
        and signals.production_date >= spreads.first_date
    group by signals.chart_id
),

statuses as (
    select
        limits.chart_id,
        max_by(limits.status, limits.version) as status
    from {{ ref("int_chart_limit") }} as limits
    group by limits.chart_id
),

final as (
    select
        spreads.*,
        coalesce(signals.signal_count, 0) as signal_count,
        case
            when statuses.status is null or statuses.status = 'no_variation' then 'unknown'
            when
                signals.signal_count > 0.01e0 * spreads.point_count + 2.326e0 * sqrt(0.01e0 * spreads.point_count)
                or signals.farthest > 4.5e0
                then 'unstable'
            when statuses.status = 'trial' then 'trial_limits'
            when signals.signal_count > 0 then 'stable_but_for_chance'
            else 'stable'
        end as stability
    from spreads
    left join signals on spreads.chart_id = signals.chart_id
    left join statuses on spreads.chart_id = statuses.chart_id
)

select * from final
