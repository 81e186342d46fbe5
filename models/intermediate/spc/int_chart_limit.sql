-- One row per chart and version of its limits: the figures that all limits follow from, of its reference period. That
-- is the one a rebase names, or the first points of the version; points with a recorded cause are left out. `sigma`
-- is that of one value (X̄ and the like) or of what is plotted (individuals).
with

candidates as (
    select
        points.*,
        versions.version as limit_version,
        versions.reference_to_local,
        lines.reference_subgroups,
        lines.constants,
        lines.laney,
        lines.known_mean,
        lines.known_sigma,
        not points.is_excluded as is_used,
        not coalesce(lag(points.is_excluded) over in_reference, true) as is_one_before_used,
        sum(case when points.is_excluded then 0 else 1 end) over in_reference as used_number
    from {{ ref("int_chart_point") }} as points
    inner join {{ ref("int_control_chart") }} as lines on points.chart = lines.chart
    inner join {{ ref("int_chart_version") }} as versions
        on points.chart_id = versions.chart_id
        and case
            when versions.reference_from_local is not null then points.started_at_local >= versions.reference_from_local
            when versions.reference_to_local is not null
                then versions.valid_from_local is null or points.started_at_local >= versions.valid_from_local
            else points.version = versions.version
        end
        and (versions.reference_to_local is null or points.started_at_local <= versions.reference_to_local)
    where points.value is not null
    window in_reference as (partition by points.chart_id, versions.version order by points.point_number)
),

reference as (
    select
        *,
        -- by size, but for individuals and counts, which have none
        case when chart_type in ('imr', 'c') then 1e0 else sample_size::double end as size_weight
    from candidates
    where reference_to_local is not null or used_number <= reference_subgroups
),

centred as (
    select
        *,
        coalesce(known_mean, {{ ratio(
            "sum(case when is_used then coalesce(event_count::double, value * size_weight) end) over in_version",
            "sum(case when is_used then size_weight end) over in_version"
        ) }}) as mean
    from reference
    window in_version as (partition by chart_id, limit_version)
),

standardised as (
    select
        *,
        case
            when chart_type = 'p' and mean > 0e0 and mean < 1e0
                then (value - mean) / sqrt(mean * (1e0 - mean) / sample_size)
            when chart_type = 'u' and mean > 0e0 then (value - mean) / sqrt(mean / sample_size)
        end as z,
        -- a moving range counts where both of its points do
        is_used and (is_one_before_used or not is_of_singles) as is_spread_used
    from centred
),

stepped as (
    select
        *,
        case when is_used and is_one_before_used then abs(z - lag(z) over in_reference) end as z_step
    from standardised
    window in_reference as (partition by chart_id, limit_version order by point_number)
),

summed as (
    select
        chart_id,
        limit_version as version,
        min(chart) as chart,
        min(chart_type) as chart_type,
        min(constants) as constants,
        min(laney) as laney,
        min(case when is_used then started_at_local end) as reference_from_local,
        max(case when is_used then started_at_local end) as reference_to_local,
        min(point_number) as first_point_number,
        max(point_number) as last_point_number,
        count_if(is_used)::bigint as reference_count,
        count_if(not is_used)::bigint as excluded_count,
        min(mean) as mean,
        min(known_mean) as known_mean,
        min(known_sigma) as known_sigma,
        {{ ratio(
            "sum(case when is_spread_used then sigma_weight * sigma_estimate end)",
            "sum(case when is_spread_used and sigma_estimate is not null then sigma_weight end)"
        ) }} as reference_sigma,
        avg(z_step) / case when min(constants) = 'rounded' then 1.128e0 else 1.1283791670955126e0 end as sigma_z
    from stepped
    group by chart_id, limit_version
),

judged as (
    select
        summed.*,
        coalesce(summed.known_sigma, summed.reference_sigma) as sigma,
        -- between two rows of the table, by 1/√n
        limits.sigma_z_to + (limits.sigma_z_from - limits.sigma_z_to)
        * (1e0 / sqrt(summed.reference_count) - limits.root_to) / (limits.root_from - limits.root_to) as sigma_z_limit
    from summed
    left join {{ ref("const_overdispersion") }} as limits
        on summed.reference_count >= limits.n_from
        and (limits.n_to is null or summed.reference_count < limits.n_to)
),

final as (
    select
        chart_id,
        version,
        chart,
        constants,
        reference_from_local,
        reference_to_local,
        first_point_number,
        last_point_number,
        reference_count,
        excluded_count,
        mean,
        case when chart_type in ('p', 'np', 'c', 'u') then null else sigma end as sigma,
        sigma_z,
        case when chart_type in ('p', 'u') then sigma_z_limit end as sigma_z_limit,
        coalesce(
            chart_type in ('p', 'u') and sigma_z is not null
            and (laney = 'always' or (laney = 'auto' and sigma_z > sigma_z_limit)),
            false
        ) as is_laney,
        case
            when mean is null then 'no_variation'
            when chart_type in ('p', 'np') and not (mean > 0e0 and mean < 1e0) then 'no_variation'
            when chart_type in ('c', 'u') and not mean > 0e0 then 'no_variation'
            when
                chart_type not in ('p', 'np', 'c', 'u')
                and not coalesce(sigma > 1e-12 * abs(mean) and sigma > 0e0, false)
                then 'no_variation'
            when
                known_mean is not null and (known_sigma is not null or chart_type in ('p', 'np', 'c', 'u'))
                then 'known'
            when reference_count < 20 then 'trial'
            else 'frozen'
        end as status
    from judged
)

select * from final
