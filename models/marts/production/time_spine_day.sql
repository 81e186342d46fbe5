select production_date from {{ ref("stg_calendar_day") }}
