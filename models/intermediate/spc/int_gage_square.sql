-- One row per study of measured values, test, parameter and kind of appraiser: sums of squares, mean ranges and
-- sizes. Every part must be there with every appraiser; trials beyond the fewest of any part and appraiser are left
-- out.
with

readings as (
    select * from {{ ref("int_gage_reading") }} where parameter is not null
),

cells_counted as (
    select
        study_id,
        test_name,
        parameter,
        appraiser_kind,
        part,
        appraiser,
        count(*) as trial_count
    from readings
    group by study_id, test_name, parameter, appraiser_kind, part, appraiser
),

studies as (
    select
        study_id,
        test_name,
        parameter,
        appraiser_kind,
        count(distinct part) as part_count,
        count(distinct appraiser) as appraiser_count,
        count(*) as cell_count,
        min(trial_count) as trial_count,
        min(trial_count) <> max(trial_count) as is_truncated
    from cells_counted
    group by study_id, test_name, parameter, appraiser_kind
),

cells as (
    select
        study_id,
        test_name,
        parameter,
        appraiser_kind,
        readings.part,
        readings.appraiser,
        avg(readings.value) as cell_mean,
        max(readings.value) - min(readings.value) as cell_range,
        coalesce(var_samp(readings.value), 0e0) * (count(*) - 1) as cell_squares,
        max(readings.lower_limit) as lower_limit,
        min(readings.upper_limit) as upper_limit,
        min(readings.constants) as constants
    from readings
    inner join studies using (study_id, test_name, parameter, appraiser_kind)
    where readings.trial <= studies.trial_count
    group by study_id, test_name, parameter, appraiser_kind, readings.part, readings.appraiser
),

averaged as (
    select
        *,
        avg(cell_mean) over study as study_mean,
        avg(cell_mean) over of_part as part_mean,
        avg(cell_mean) over of_appraiser as appraiser_mean
    from cells
    window
        study as (partition by study_id, test_name, parameter, appraiser_kind),
        of_part as (partition by study_id, test_name, parameter, appraiser_kind, part),
        of_appraiser as (partition by study_id, test_name, parameter, appraiser_kind, appraiser)
),

summed as (
    select
        study_id,
        test_name,
        parameter,
        appraiser_kind,
        max(lower_limit) as lower_limit,
        min(upper_limit) as upper_limit,
        min(constants) as constants,
        sum(power(part_mean - study_mean, 2)) as part_squares,
        sum(power(appraiser_mean - study_mean, 2)) as appraiser_squares,
        sum(power(cell_mean - part_mean - appraiser_mean + study_mean, 2)) as interaction_squares,
        sum(cell_squares) as repeat_squares,
        avg(cell_range) as mean_range,
        max(appraiser_mean) - min(appraiser_mean) as appraiser_range,
        max(part_mean) - min(part_mean) as part_range
    from averaged
    group by study_id, test_name, parameter, appraiser_kind
),

final as (
    select
        studies.study_id,
        studies.test_name,
        studies.parameter,
        studies.appraiser_kind,
        studies.part_count,
        studies.appraiser_count,
        studies.trial_count,
        case
            when studies.cell_count < studies.part_count * studies.appraiser_count then 'incomplete'
            when studies.part_count < 2 or studies.trial_count < 2 then 'too_small'
            when studies.is_truncated then 'truncated'
            else 'complete'
        end as status,
        summed.lower_limit,
        summed.upper_limit,
        summed.constants,
        -- each mean stands for the readings in its cell
        studies.trial_count * summed.part_squares as part_squares,
        studies.trial_count * summed.appraiser_squares as appraiser_squares,
        studies.trial_count * summed.interaction_squares as interaction_squares,
        summed.repeat_squares,
        summed.mean_range,
        summed.appraiser_range,
        summed.part_range
    from studies
    inner join summed using (study_id, test_name, parameter, appraiser_kind)
)

select * from final
