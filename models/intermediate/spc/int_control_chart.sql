-- One row per control chart or family of charts as control_charts.csv has them, with defaults filled in; where it has
-- none, the automatic ones: the share of modules that fail the first run, by product, test and day, and the first
-- five values of an hour, by product, test and parameter. `run_rules` are the rules' keys between blanks. A name that
-- comes twice counts at its first line.
{{ config(materialized="view") }}

{% set families = {"n": "nelson", "w": "western-electric"} %}
{% set rules = ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "w1", "w2", "w3", "w4"] %}

with

configured as (
    select
        *,
        count(*) over (partition by chart) as line_count
    from {{ ref("stg_ref_control_charts") }}
    qualify row_number() over (partition by chart order by line_number) = 1
),

automatic as (
    select charts.*
    from (values ('automatic fails', 'p'), ('automatic values', 'xbar-s')) as charts (chart, chart_type)
    where not exists (select 1 from configured)
),

lines as (
    select
        chart,
        chart_type,
        product_name,
        test_name,
        parameter,
        machine_id,
        metric,
        subgroup_by,
        subgroup_size,
        -- two blanks between rules, so that each has its own
        concat(
            '  ',
            replace(replace(replace(lower(coalesce(nullif(trim(rules), ''), '1 2')), ',', ' '), ';', ' '), ' ', '  '),
            '  '
        ) as rules,
        is_critical,
        run_gap_h,
        reference_subgroups,
        constants,
        laney,
        known_mean,
        known_sigma,
        target,
        ewma_weight,
        ewma_width,
        cusum_slack,
        cusum_limit,
        line_count,
        false as is_automatic
    from configured
    union all
    select
        chart,
        chart_type,
        {% for column in ["product_name", "test_name", "parameter", "machine_id", "metric"] -%}
            null::string as {{ column }},
        {% endfor -%}
        case when chart_type = 'xbar-s' then 'hour' end as subgroup_by,
        case when chart_type = 'xbar-s' then 5::bigint end as subgroup_size,
        '  1  2  ' as rules,
        false as is_critical,
        null::double as run_gap_h,
        -- of hours, 25 would be a day or two
        case when chart_type = 'xbar-s' then 100::bigint end as reference_subgroups,
        null::string as constants,
        null::string as laney,
        {% for column in [
            "known_mean", "known_sigma", "target", "ewma_weight", "ewma_width", "cusum_slack", "cusum_limit",
        ] -%}
            null::double as {{ column }},
        {% endfor -%}
        1::bigint as line_count,
        true as is_automatic
    from automatic
),

-- what is left of the rules without those that are known
known as (
    select
        *,
        {{ without_words("rules", rules[:8]) }} as rules_left_1,
        {{ without_words("rules_left_1", rules[8:] + ["nelson", "western-electric"]) }} as rules_left_2,
        {{ without_words("rules_left_2", ["1", "2", "3", "4", "5", "6", "7", "8"]) }} as rules_left_3
    from lines
),

final as (
    select
        chart,
        chart_type,
        chart_type in ('xbar-r', 'xbar-s', 'imr', 'ewma', 'cusum') as is_of_values,
        is_automatic,

        -- series
        product_name,
        test_name,
        parameter,
        nullif(lower(machine_id), 'each') is not null as is_of_one_machine,
        coalesce(lower(machine_id) = 'each', false) as is_by_machine,
        machine_id,
        coalesce(metric, 'first_run_fail') as metric,

        -- subgroups
        coalesce(
            subgroup_by,
            case
                when chart_type in ('xbar-r', 'xbar-s') then 'hour'
                when chart_type in ('imr', 'ewma', 'cusum') then 'value'
            end,
            'day'
        ) as subgroup_by,
        case when subgroup_by = 'consecutive' then coalesce(subgroup_size, 5) else subgroup_size end as subgroup_size,

        -- signals
        concat(
            ' ',
            {% for rule in rules -%}
                case
                    when
                        rules like '% {{ rule }} %' or rules like '% {{ families[rule[0]] }} %'
                        {{ "or rules like '% " ~ rule[1] ~ " %'" if rule[0] == "n" }}
                        then '{{ rule }} '
                    else ''
                end{{ "," if not loop.last }}
            {% endfor -%}
        ) as run_rules,
        trim(rules_left_3) = '' as is_rules_understood,
        coalesce(is_critical, false) as is_critical,
        run_gap_h,

        -- limits
        coalesce(reference_subgroups, 25) as reference_subgroups,
        coalesce(constants, 'exact') as constants,
        coalesce(laney, 'auto') as laney,
        known_mean,
        nullif(known_sigma, 0e0) as known_sigma,
        target,
        coalesce(ewma_weight, 0.2e0) as ewma_weight,
        coalesce(ewma_width, 3e0) as ewma_width,
        coalesce(cusum_slack, 0.5e0) as cusum_slack,
        coalesce(cusum_limit, 5e0) as cusum_limit,
        line_count
    from known
)

select * from final
