select * from {{ ref("int_finding_load") }}
union all
select * from {{ ref("int_finding_name") }}
union all
select * from {{ ref("int_finding_module") }}
union all
select * from {{ ref("int_finding_record") }}
