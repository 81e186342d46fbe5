{% set rules = ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "w1", "w2", "w3", "w4"] %}

with

fired as (
    select
        tested.*,
        rules.rule,
        rules.rule_number,
        rules.description,
        tested.is_critical and tested.fires_n1 and rules.rule_number = 1 and not tested.is_excluded as is_candidate,
        -- how far beyond: the distance from the centre line by that of the limit, which charts of all kinds have
        round(
            {{ ratio(
                "tested.value - tested.center_line",
                "case when tested.value > tested.center_line then tested.upper_limit else tested.lower_limit end"
                ~ " - tested.center_line"
            ) }},
            9
        ) as limit_distances
    from {{ ref("int_chart_point_tested") }} as tested
    cross join {{ ref("const_run_rule") }} as rules
    where
        tested.run_rules like concat('% ', rules.rule, ' %')
        and case rules.rule
            {% for rule in rules -%}
                when '{{ rule }}' then tested.fires_{{ "n1" if rule == "w1" else rule }}
            {% endfor -%}
        end
),

-- the rule of both families is one alert
ranked as (
    select
        *,
        case
            when is_candidate
                then dense_rank() over (
                    partition by production_date, is_candidate
                    order by limit_distances desc nulls last, chart_id asc, panel asc, point_number asc
                )::bigint
        end as alert_rank
    from fired
),

final as (
    select
        -- keys
        chart_id,
        panel,
        point_number,
        rule,

        -- series
        chart,
        chart_type,
        product_name,
        test_name,
        parameter,
        machine_id,

        -- when
        started_at,
        started_at_local,
        production_date,

        -- what fired
        description,
        value,
        center_line,
        lower_limit,
        upper_limit,
        deviation_sigma,
        version,
        status as limit_status,
        exclusion_cause,
        alert_rank,
        coalesce(alert_rank <= {{ var("chart_alerts_per_day") }}, false) as is_alert
    from ranked
)

select * from final
