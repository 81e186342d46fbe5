-- One row per reading of a measurement study and kind of appraiser: attempts with a study_id, copies once. A part
-- without an id is known by its serial number. Operator, fixture or machine is an appraiser where the study has at
-- least two; where it has two of none, the machine is. `parameter` is NULL for the attempt's result. Trials are
-- counted anew within part and appraiser, by their number, then by time.
{{ config(materialized="view") }}

{% set appraisers = ["operator_id", "fixture_id", "machine_id"] %}

with

records as (
    select
        *,
        coalesce(part_id, serial_num) as part
    from {{ ref("stg_test_record") }}
    where study_id is not null
    qualify row_number() over (
        partition by serial_num, test_name, test_timestamp, machine_id, product_name
        order by revision desc nulls last, record_hash desc nulls last, record_flags asc nulls last
    ) = 1
),

measurements as (
    select *
    from {{ ref("stg_test_measurement") }}
    where serial_num in (select serial_num from records)
    qualify row_number() over (
        partition by serial_num, test_name, test_timestamp, parameter
        order by record_hash desc nulls last, record_flags asc nulls last
    ) = 1
),

studies as (
    select
        study_id,
        test_name,
    {% for appraiser in appraisers -%}
        count(distinct {{ appraiser }}) as {{ appraiser }}_count{{ "," if not loop.last }}
    {% endfor -%}
    from records
    group by study_id, test_name
),

readings as (
    select
        records.study_id,
        records.test_name,
        null::string as parameter,
        records.part,
        records.trial,
        records.test_timestamp,
        records.test_result,
        null::double as value,
        null::double as lower_limit,
        null::double as upper_limit,
        {{ appraisers | join(", ") }}
    from records
    where records.test_result in ('pass', 'fail')
    union all
    select
        records.study_id,
        records.test_name,
        measurements.parameter,
        records.part,
        records.trial,
        records.test_timestamp,
        null::string as test_result,
        measurements.value,
        measurements.lower_limit,
        measurements.upper_limit,
        {{ appraisers | join(", ") }}
    from records
    inner join measurements
        on records.serial_num = measurements.serial_num
        and records.test_name = measurements.test_name
        and records.test_timestamp = measurements.test_timestamp
),

by_appraiser as (
    {% for appraiser in appraisers -%}
        select
            readings.*,
            '{{ appraiser | replace("_id", "") }}' as appraiser_kind,
            readings.{{ appraiser }} as appraiser
        from readings
        inner join studies
            on readings.study_id = studies.study_id
            and readings.test_name = studies.test_name
        where
            studies.{{ appraiser }}_count > 1
            {{ "or greatest(studies.operator_id_count, studies.fixture_id_count) < 2" if appraiser == "machine_id" }}
        {{ "union all" if not loop.last }}
    {% endfor -%}
),

final as (
    select
        study_id,
        test_name,
        parameter,
        appraiser_kind,
        part,
        appraiser,
        (row_number() over (
            partition by study_id, test_name, parameter, appraiser_kind, part, appraiser
            order by trial nulls last, test_timestamp, value, test_result
        ))::bigint as trial,
        value,
        test_result,
        lower_limit,
        upper_limit,
        'exact' as constants
    from by_appraiser
    where appraiser is not null
)

select * from final
