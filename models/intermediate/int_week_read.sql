-- Weeks that hold a record of the serial numbers being read. Those of touched modules are touched themselves.
with

serial_weeks as (
    select * from {{ ref("int_serial_week") }}
),

-- units that are never in production have nothing to do with their other weeks
modules as (
    select distinct serial_num
    from serial_weeks
    where is_production and serial_num in (select serial_num from {{ ref("int_serial_read") }})
),

final as (
    select week_start from {{ ref("int_touched_week") }}
    {% if rewrites_whole_weeks() %}
        union
        select production_week_start as week_start
        from serial_weeks
        where serial_num in (select serial_num from modules)
    {% endif %}
)

select * from final
