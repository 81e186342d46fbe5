"""Files as plants have them; skipped where they are not at hand."""

import pytest

from pipeline.paths import PROJECT

REAL = PROJECT.parent / "shared" / "real"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not beside the project")


# 13 weeks of a plant: every record arrives, in its week, with its result.
def test_optical_tests_are_loaded_whole(site):
    site.describe(path=str(REAL / "optical_tests" / "test_records.parquet"))
    load = site.load_one()
    assert (load.status, load.row_count, load.reject_count) == ("loaded", 630_649, 0)
    (found,) = site.query(
        "count(distinct t._row) as n, count_if(t.test_result in ('pass', 'fail')) as judged", "test_record"
    )
    assert found == {"n": 630_649, "judged": 630_649}


# A dump whose header belongs to another table must not be loaded by luck.
@pytest.mark.parametrize("table", ["work_order", "test_record", "production_plan"])
def test_dump_with_the_header_of_another_table_fails(site, table):
    site.describe(table=table, path=str(REAL / "mes" / "work_orders.csv"))
    load = site.load_one()
    assert load.status == "failed" and "are missing" in load.error
