{#
    Readings with what is to be believed of them: a value that is a number, of a reading that is neither ahead of its
    arrival nor too late. Numbers beyond 1e100, infinite ones and NaN are none: their squares have no sum.
    `readings` has the columns of int_sensor_reading_open; `condition` is about these.
#}
{% macro judged_readings(readings, condition="true") -%}
    select
        readings.*,
        sensors.lower_limit,
        sensors.upper_limit,
        {{ seconds_between("readings.reading_at", "readings.arrived_at") }} as delay_s,
        coalesce(abs(readings.value) <= 1e100, false) and coalesce(readings.status <> 'bad', true) as has_value,
        coalesce(
            delay_s < -1 * {{ var("sensor_max_ahead_s") }}, readings.record_flags like '%reading_at:future%', false
        ) as is_future,
        coalesce(delay_s > coalesce(sensors.max_delay_s, {{ var("sensor_max_delay_s") }}), false) as is_old,
        has_value and not is_future and not is_old as is_trusted,
        case when is_trusted then readings.value end as trusted_value,
        case when is_trusted then readings.reading_at end as trusted_at
    from {{ readings }} as readings
    left join {{ ref("int_sensor") }} as sensors on readings.sensor_id = sensors.sensor_id
    where {{ condition }}
{%- endmacro %}

{#
    What is kept of a sensor's minute, all but the counts of copies and conflicts: aggregates of judged_readings.
    value_m2: sum of squared deviations from the minute's mean; unlike a sum of squares it loses nothing where values are
    large and spread little.
#}
{% macro minute_parts() -%}
    min(source) as source,

        -- trusted values
        count(trusted_at) as trusted_count,
        sum(trusted_value) as value_sum,
        var_pop(trusted_value) * count(trusted_at) as value_m2,
        min(trusted_value) as value_min,
        max(trusted_value) as value_max,
        max_by(value, reading_at) filter (where is_trusted) as value_last,
        min(trusted_at) as first_read_at,
        max(trusted_at) as last_read_at,
        max(case when is_trusted then coalesce(arrived_at, reading_at) end) as last_arrived_at,
        count(case when trusted_value < lower_limit or trusted_value > upper_limit then 1 end) as out_of_limits_count,

        -- what is wrong with the others, and with some of these
        count(case when is_future then 1 end) as future_count,
        count(case when is_old then 1 end) as old_count,
        count(case when not has_value then 1 end) as bad_count,
        count(case when has_value and status <> 'good' then 1 end) as uncertain_count,
        count(case when record_flags like '%reading_at:repeated_hour%' then 1 end) as repeated_hour_count,
        count(case when record_flags like '%reading_at:missing_hour%' then 1 end) as missing_hour_count,

        -- clock: the least delay, since a delay may have other reasons, too
        min(delay_s) as least_delay_s
{%- endmacro %}

{#
    The local hour in which a minute lies, as wall time: it begins at the minute of the hour at which production days do,
    so that no hour is part of two days. Needs `plant`, the row of stg_ref_plant.
#}
{% macro sensor_hour_local(minute_at_local) -%}
    {%- set shift = "(plant.production_day_start_minutes % 60) * interval '1 minute'" -%}
    (date_trunc('hour', {{ minute_at_local }} - {{ shift }})::timestamp + {{ shift }})
{%- endmacro %}

{#
    Pooled sum of squared deviations of groups from their common mean, which is at hand as `mean`
    (Chan, Golub, LeVeque 1983): within the groups, and between them.
#}
{% macro pooled_m2(mean) -%}
    sum(
        value_m2
        + trusted_count * ({{ ratio("value_sum", "trusted_count") }} - {{ mean }})
        * ({{ ratio("value_sum", "trusted_count") }} - {{ mean }})
    )
{%- endmacro %}

{# Mean, standard deviation (n - 1) and share of the time covered, of a table with their parts. #}
{% macro sensor_ratios(length_s) -%}
    {{ ratio("value_sum", "trusted_count") }} as value_mean,
        sqrt({{ ratio("value_m2", "trusted_count - 1") }}) as value_stddev,
        least(1e0, {{ ratio("covered_s", length_s) }}) as covered_share
{%- endmacro %}
