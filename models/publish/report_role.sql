select
    role,
    page,
    title
from {{ ref("stg_ref_roles") }}
