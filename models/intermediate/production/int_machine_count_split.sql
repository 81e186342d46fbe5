-- Counts of the days being read, split over their intervals by the seconds that the machine ran; where it did not run,
-- by busy time, else by time. In whole units whose sum is the count.
{{ config(materialized="view") }}

{% set keys = [
    "machine_id", "line_id", "production_date", "production_week_start", "shift_date", "shift_name", "crew",
    "shift_start_at", "shift_phase", "hour_local",
] %}

with

counts as (
    select * from {{ ref("int_production_count_deduplicated") }}
),

days_read as (
    select * from {{ ref("int_machine_day_read") }}
),

intervals as (
    select * from {{ ref("int_machine_interval") }} where production_date in (select production_date from days_read)
),

count_dates as (
    select
        counts.*,
        days_read.production_date
    from counts
    inner join days_read
        on counts.started_at < days_read.day_end_at
        and counts.ended_at > days_read.day_start_at
    where counts.ended_at > counts.started_at
),

-- a count's parts: the seconds of each that it may have been made in
parts as (
    select
        count_dates.count_number,
        {% for key in keys -%}
            intervals.{{ key }},
        {% endfor -%}
        max(count_dates.product_name) as product_name,
        max(coalesce(count_dates.work_order_id, intervals.work_order_id)) as work_order_id,
        {% for quantity in ["good", "scrap", "rework"] -%}
            max(count_dates.{{ quantity }}) as {{ quantity }}_total,
        {% endfor -%}
        min(intervals.started_at) as first_at,
        {% set overlap_us -%}
            {{ microseconds_between(
                "greatest(count_dates.started_at, intervals.started_at)",
                "least(count_dates.ended_at, intervals.ended_at)"
            ) }}
        {%- endset -%}
        sum(case when intervals.time_group = 'APT' then {{ overlap_us }} else 0 end)::bigint as running_us,
        sum(case when intervals.time_group in ('APT', 'AUST', 'ADET', 'ADOT') then {{ overlap_us }} else 0 end)::bigint
            as busy_us,
        sum({{ overlap_us }})::bigint as overlap_us
    from count_dates
    inner join intervals
        on count_dates.machine_id = intervals.machine_id
        and count_dates.production_date = intervals.production_date
        and count_dates.started_at < intervals.ended_at
        and count_dates.ended_at > intervals.started_at
    group by
        count_dates.count_number,
    {% for key in keys -%}
        intervals.{{ key }}{{ "," if not loop.last }}
    {% endfor %}
),

parts_weighed as (
    select
        *,
        case
            when sum(running_us) over of_count > 0 then running_us
            when sum(busy_us) over of_count > 0 then busy_us
            else overlap_us
        end as weight_us
    from parts
    window of_count as (partition by count_number)
),

-- what was made until the end of each part is rounded, and each part is the difference: no stretch is off by a unit
parts_until as (
    select
        *,
        sum(weight_us) over until_now as weight_until_us,
        sum(weight_us) over (partition by count_number) as weight_total_us
    from parts_weighed
    window until_now as (
        partition by count_number order by first_at rows between unbounded preceding and current row
    )
),

parts_rounded as (
    select
        *,
    {% for quantity in ["good", "scrap", "rework"] -%}
        {% set share_until = ratio(quantity ~ "_total::double * weight_until_us", "weight_total_us") -%}
        {% set share_before = ratio(quantity ~ "_total::double * (weight_until_us - weight_us)", "weight_total_us") -%}
        (floor({{ share_until }} + 0.5e0) - floor({{ share_before }} + 0.5e0))::bigint as {{ quantity }}
        {{- "," if not loop.last }}
    {% endfor -%}
    from parts_until
),

final as (
    select
        {% for key in keys -%}
            {{ key }},
        {% endfor -%}
        product_name,
        work_order_id,
        good,
        scrap,
        rework,
        0::bigint as cycle_count,
        0e0 as retest_s
    from parts_rounded
    where good + scrap + rework > 0
)

select * from final
