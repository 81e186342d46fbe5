{# What a shift lead reads of a trouble; columns as in the mart anomaly. #}
{% macro anomaly_sentence() -%}
    {%- set observed = number_text("observed") -%}
    {%- set expected = number_text("expected") -%}
    {%- set unit = "case when unit is null then '' else concat(' ', unit) end" -%}
    {%- set observed_share = "concat(cast(round(100e0 * observed, 1)::decimal(18, 1) as string), ' %')" -%}
    {%- set expected_share = "concat(cast(round(100e0 * expected, 1)::decimal(18, 1) as string), ' %')" -%}
    concat(
        subject,
        case detector
            when 'limit' then concat(' is beyond its limits (', {{ observed }}, {{ unit }}, ')')
            when 'missing' then ' has no readings'
            when 'stuck' then concat(' stands still at ', {{ observed }}, {{ unit }})
            when 'spike' then concat(' jumped to ', {{ observed }}, {{ unit }}, ', usual is about ', {{ expected }})
            when 'shift' then concat(
                ' is ', case when observed < expected then 'low' else 'high' end, ': ', {{ observed }}, {{ unit }},
                ', usual is about ', {{ expected }}
            )
            when 'drift' then concat(
                ' drifts away, ', {{ observed }}, {{ unit }}, ' where it used to be about ', {{ expected }}
            )
            when 'spread' then case
                when spread_factor > 1e0 then concat(' scatters ', {{ number_text("spread_factor") }}, ' times as much as usual')
                else concat(' scatters only ', round(100e0 * spread_factor)::bigint::string, ' % of what is usual')
            end
            when 'rhythm' then ' does not follow its usual daily rhythm'
            when 'together' then ' does not move with the other series of its machine as it used to'
            when 'share' then concat(' fell to ', {{ observed_share }}, ', usual is ', {{ expected_share }})
            when 'peers' then concat(' is ', {{ observed_share }}, ' this week, other machines have ', {{ expected_share }})
        end,
        case when duration_s < 7200e0 then concat(', for ', greatest(round(duration_s / 60e0), 1)::bigint::string, ' min')
        when duration_s < 172800e0 then concat(', for ', round(duration_s / 3600e0)::bigint::string, ' h')
        else concat(', for ', round(duration_s / 86400e0)::bigint::string, ' days') end,
        case when is_open then ', still going on' else '' end,
        case when series_count > 1 then concat(' (', series_count::string, ' series)') else '' end
    )
{%- endmacro %}
