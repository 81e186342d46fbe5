-- Every record is multiplied by this row: without it all of them vanish from the marts, with two they double.
select count(*) as row_count
from {{ ref("stg_ref_plant") }}
having count(*) <> 1
