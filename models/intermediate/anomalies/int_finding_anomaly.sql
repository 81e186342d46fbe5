-- Findings on the settings of anomaly detection: lines that set nothing, since there is no such parameter or series.
{{ config(materialized="view") }}

with

findings as (
    select
        'unknown_parameter' as finding,
        'ref_anomaly_parameters' as table_name,
        parameter as example
    from {{ ref("stg_ref_anomaly_parameters") }}
    where parameter not in ({{ quoted(anomaly_parameters().keys()) }})
    union all
    select
        'unknown_series' as finding,
        'ref_anomaly_settings' as table_name,
        coalesce(settings.entity, settings.metric, settings.entity_type) as example
    from {{ ref("stg_ref_anomaly_settings") }} as settings
    left join {{ ref("int_metric_series") }} as series
        on coalesce(settings.entity_type = series.entity_type, true)
        and coalesce(settings.entity in (series.entity, series.machine_id), settings.entity is null)
        and coalesce(settings.metric = series.metric, true)
    where
        series.series_id is null
        and coalesce(settings.entity, settings.metric, settings.entity_type) is not null
),

final as (
    select
        finding,
        'warning' as severity,
        table_name,
        null::string as load_week,
        null::string as product_name,
        null::string as test_name,
        null::string as machine_id,
        null::string as detail,
        count(*) as finding_count,
        example
    from findings
    group by finding, table_name, example
)

select * from final
