with

rules as (
    {{ oee_rules() }}
),

machines as (
    select
        *,
        scheduled_pbt_s - first_to_last_pbt_s as edge_s,
        pbt_s - first_to_last_pbt_s as edge_in_pbt_s
    from {{ ref("oee_by_machine_day") }}
),

lines as (
    select
        production_date,
        count(*) as line_count,
        round(sum(pbt_s), 6) as lines_pbt_s,
        round(sum(apt_s), 6) as lines_apt_s,
        round(sum(no_data_s), 6) as lines_no_data_s,
        sum(produced)::bigint as lines_produced,
        sum(unrated_count)::bigint as lines_unrated_count,
        sum(good)::bigint as lines_good,
        sum(planned_run_time_good_s) as lines_planned_run_time_good_s
    from {{ ref("oee_by_line_day") }}
    group by production_date
),

summed as (
    select
        production_date,
        production_week_start,
        count(*) as machine_count,
        {{ oee_parts("planned_run_time_good_s") }}
    from machines
    group by production_date, production_week_start
),

final as (
    select
        production_date,
        production_week_start,
        machine_count,

        {{ oee_kpis() }},

        -- lines, by their constraint machines
        coalesce(line_count, 0) as line_count,
        coalesce(lines_pbt_s, 0e0) as lines_pbt_s,
        coalesce(lines_apt_s, 0e0) as lines_apt_s,
        coalesce(lines_no_data_s, 0e0) as lines_no_data_s,
        coalesce(lines_produced, 0) as lines_produced,
        coalesce(lines_unrated_count, 0) as lines_unrated_count,
        coalesce(lines_good, 0) as lines_good,
        coalesce(lines_planned_run_time_good_s, 0e0) as lines_planned_run_time_good_s,
        {{ ratio_if_known("lines_planned_run_time_good_s", "lines_pbt_s", "lines_pbt_s", "lines_") }}
            as line_oee_pbt_weighted
    from summed
    left join lines using (production_date)
    cross join rules
)

select * from final
