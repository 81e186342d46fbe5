-- Production weeks of all records of touched serial numbers: every week that one of their modules is in,
-- or was in before.
select distinct production_week_start as week_start
from {{ ref("int_test_record_dated") }}
where serial_num in (select serial_num from {{ ref("int_touched_serial") }})
