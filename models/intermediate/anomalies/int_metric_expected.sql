-- One row per series, production day being judged, and hour of it: the rhythm that is expected, as a difference from
-- the series' level, at the middle of the hour, of that before, and of that after. Which rhythm, if any, is settled by
-- how well each would have told the last 14 days.
with

profiles as (
    select
        profiles.*,
        touched.read_from
    from {{ ref("int_metric_profile") }} as profiles
    inner join {{ ref("int_touched_metric") }} as touched
        on profiles.series_id = touched.series_id
        and profiles.production_date >= touched.read_from - 21
),

days as (
    select
        series_id,
        baseline_number,
        day_number,
        count(abs(value_mid - week_mid)) as compared_count,
        sum(abs(value_mid - level_mid)) filter (where day_mid is not null) as level_error,
        sum(abs(value_mid - day_mid)) as day_error,
        count(abs(value_mid - day_mid)) as day_count,
        sum(abs(value_mid - week_mid)) as week_error,
        sum(abs(value_mid - day_mid)) filter (where week_mid is not null) as day_error_of_week,
        sum(abs(value_mid - level_mid)) filter (where week_mid is not null) as level_error_of_week
    from profiles
    group by all
),

errors as (
    select
        series_id,
        baseline_number,
        day_number,
        {% for error in [
            "level_error", "day_error", "day_count", "week_error", "day_error_of_week", "level_error_of_week",
        ] -%}
            sum({{ error }}) over fortnight as {{ error }},
        {% endfor -%}
        sum(compared_count) over fortnight as compared_count
    from days
    window fortnight as (
        partition by series_id, baseline_number order by day_number range between 14 preceding and 1 preceding
    )
),

rhythms as (
    select
        series_id,
        baseline_number,
        day_number,
        case
            when
                compared_count >= 72
                and week_error < .8e0 * level_error_of_week
                and week_error < .85e0 * day_error_of_week
                then 'week'
            when day_count >= 24 and day_error < .8e0 * level_error then 'day'
            else 'none'
        end as rhythm
    from errors
),

rhythms_before as (
    select
        *,
        lag(rhythm, 1) over by_day as rhythm_1,
        lag(rhythm, 2) over by_day as rhythm_2
    from rhythms
    window by_day as (partition by series_id, baseline_number order by day_number)
),

chosen as (
    select
        profiles.series_id,
        profiles.baseline_number,
        profiles.day_number,
        profiles.slot,
        rhythms.rhythm,
        case when rhythms.rhythm <> rhythms.rhythm_1 then 0 when rhythms.rhythm <> rhythms.rhythm_2 then 1 end
            as days_since_switch,
        coalesce(
            case rhythms.rhythm
                when 'week' then coalesce(profiles.week_mid, profiles.day_mid)
                when 'day' then profiles.day_mid
            end - profiles.level_mid,
            0e0
        ) as expected
    from profiles
    inner join rhythms_before as rhythms
        on profiles.series_id = rhythms.series_id
        and profiles.baseline_number = rhythms.baseline_number
        and profiles.day_number = rhythms.day_number
    where profiles.production_date >= profiles.read_from
),

final as (
    select
        *,
        coalesce(lag(expected) over by_slot, last_value(expected) over of_day) as expected_before,
        coalesce(lead(expected) over by_slot, first_value(expected) over of_day) as expected_after
    from chosen
    window
        by_slot as (partition by series_id, baseline_number, day_number order by slot),
        of_day as (
            partition by series_id, baseline_number, day_number order by slot
            rows between unbounded preceding and unbounded following
        )
)

select * from final
