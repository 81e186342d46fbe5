-- What is compared: one row per kind of comparison, side, occurrence of a shift, cell (machine, product, staffing) and
-- metric, of the latest weeks: numerator, denominator, and how many units the numerator stands for. A product's tests
-- are products of their own (PRODUCT / TEST), since their yields differ. Lines have no machine in common: they are
-- compared by product and staffing. line_id and shift_phase: what the comparison is confined to, (all) if to nothing.
{% set keys = [
    "production_week_start", "shift_date", "shift_name", "crew", "shift_phase", "line_id", "machine_id", "product_name",
] %}
{% set machine_metrics = {
    "oee": ["planned_good_s", "case when is_rated then pbt_s end", "good"],
    "availability": ["apt_s", "pbt_s", "good"],
    "effectiveness": ["planned_run_time_s", "case when is_rated then apt_s end", "good"],
    "quality_ratio": ["good", "produced", "good"],
    "scrap_ratio": ["scrap", "produced", "scrap"],
    "good_rate_per_h": ["good", "pbt_s / 3600", "good"],
} %}
{% set test_metrics = {
    "first_pass_yield": ["first_run_pass_count", "first_run_count", "first_run_pass_count"],
    "passing_rate": ["pass_count", "attempt_count", "pass_count"],
} %}

with

plant as (
    select plant_name from {{ ref("stg_ref_plant") }}
),

-- where units were made that have no standard rate, OEE of the product on the machine would be too low
machine_times as (
    select
        production_week_start,
        shift_date,
        shift_name,
        crew,
        shift_phase,
        coalesce(line_id, '(none)') as line_id,
        machine_id,
        product_name,
        sum(unrated_count) over (partition by machine_id, product_name) = 0 as is_rated,
        apt_s + aust_s + adet_s + adot_s as pbt_s,
        apt_s,
        planned_run_time_s,
        {{ ratio("planned_run_time_s * good", "produced") }} as planned_good_s,
        good,
        scrap,
        produced
    from {{ ref("int_machine_time") }}
    where shift_name is not null
),

station_shifts as (
    select
        *,
        concat(product_name, ' / ', test_name) as product_and_test
    from {{ ref("int_station_shift") }}
),

-- the latest with records, not by the calendar: a clock that is years ahead must not leave nothing to compare
weeks as (
    select production_week_start
    from (
        select production_week_start from machine_times
        union
        select production_week_start from station_shifts
    ) as weeks_with_records
    order by production_week_start desc
    limit {{ var("comparison_weeks") }}
),

staffing_ranked as (
    select
        *,
        row_number() over (
            partition by shift_date, shift_name, line_id
            order by load_id desc, record_hash desc nulls last
        ) as staffing_rank
    from {{ ref("stg_staffing") }}
),

staffing as (
    select
        shift_date,
        shift_name,
        line_id,
        round(headcount)::bigint::string as staffing
    from staffing_ranked
    where staffing_rank = 1
),

runs as (
    {% for metric, (numerator, denominator, units) in machine_metrics.items() -%}
        select
            {{ keys | join(", ") }},
            '{{ metric }}' as metric,
            sum({{ numerator }})::double as numerator,
            sum({{ denominator }})::double as denominator,
            sum({{ units }})::double as unit_count
        from machine_times
        where {{ denominator }} > 0 or {{ numerator }} <> 0
        group by {{ keys | join(", ") }}
        union all
    {% endfor -%}
    {% for metric, (numerator, denominator, units) in test_metrics.items() -%}
        select
            {{ keys[:-1] | join(", ") }},
            product_and_test as product_name,
            '{{ metric }}' as metric,
            sum({{ numerator }})::double as numerator,
            sum({{ denominator }})::double as denominator,
            sum({{ units }})::double as unit_count
        from station_shifts
        where {{ denominator }} > 0
        group by {{ keys[:-1] | join(", ") }}, product_and_test
        {{ "union all" if not loop.last }}
    {% endfor %}
),

lines as (
    select count(distinct line_id) > 1 as are_many from runs
),

kinds (comparison_kind, of_phase, of_line) as (
    values
    ('shift', '(all)', true),
    ('shift', 'start', true),
    ('shift', 'end', true),
    ('shift', '(all)', false),
    ('shift', 'start', false),
    ('shift', 'end', false),
    ('crew', '(all)', true),
    ('crew', '(all)', false),
    ('week', '(all)', true),
    ('week', '(all)', false),
    ('shift_phase', '(all)', true),
    ('shift_phase', '(all)', false),
    ('line', '(all)', false)
),

sided as (
    select
        plant.plant_name,
        kinds.comparison_kind,
        case when kinds.of_line then runs.line_id else '(all)' end as line_id,
        kinds.of_phase as shift_phase,
        runs.metric,
        case kinds.comparison_kind
            when 'shift' then runs.shift_name
            when 'crew' then runs.crew
            when 'week' then {{ week_label("runs.production_week_start") }}
            when 'shift_phase' then runs.shift_phase
            else runs.line_id
        end as side,
        runs.production_week_start,
        runs.shift_date,
        concat(runs.shift_date::string, ' ', runs.shift_name) as occurrence,
        runs.product_name,
        case when kinds.comparison_kind = 'line' then '(any)' else runs.machine_id end as machine_id,
        coalesce(staffing.staffing, '(unknown)') as staffing,
        runs.numerator,
        runs.denominator,
        runs.unit_count
    from runs
    inner join weeks on runs.production_week_start = weeks.production_week_start
    inner join kinds on kinds.of_phase in ('(all)', runs.shift_phase)
    cross join lines
    cross join plant
    left join staffing
        on runs.shift_date = staffing.shift_date
        and runs.shift_name = staffing.shift_name
        and runs.line_id = staffing.line_id
    where lines.are_many or not kinds.of_line
),

final as (
    select
        plant_name,
        comparison_kind,
        line_id,
        shift_phase,
        metric,
        side,
        production_week_start,
        shift_date,
        occurrence,
        product_name,
        machine_id,
        staffing,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        sum(unit_count) as unit_count
    from sided
    where side is not null
    group by all
)

select * from final
