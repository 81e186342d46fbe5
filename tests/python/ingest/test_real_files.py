"""Files as plants have them; skipped where they are not at hand."""

from datetime import datetime

import pytest
from plant_site import Site

from pipeline.paths import PROJECT, Paths

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


@pytest.fixture
def plant(tmp_path, monkeypatch, request) -> Site:
    """A plant of this project whose files are the real ones."""
    monkeypatch.setenv("REAL_DATA", str(REAL))
    return Site(PROJECT / "plants" / request.param, Paths(tmp_path / "data"))


# Two machines' logs are read as the cameras write them: a cycle that is lost is a cycle less in the machine's OEE.
@pytest.mark.parametrize("plant", ["vision_log"], indirect=True)
def test_camera_logs_are_loaded_whole_by_their_mapping(plant):
    loads = plant.load()
    assert [load.status for load in loads] == ["loaded"] * 7
    assert sum(load.row_count for load in loads) == 493_227
    assert sum(load.reject_count + load.filtered_count for load in loads) == 0
    (found,) = plant.query(
        """
        count(distinct t._hash) as n, count_if(part_present) as parts, count_if(part_present and serial_num is null) as
        unread, count_if(serial_num similar to '0*' or lot_number similar to '0*') as zeros, list_sort(list(distinct
        machine_id)) as machines, count_if(t._flags is not null) as flagged, min(cycle_timestamp) as first
        """,
        "machine_cycle",
    )
    first = datetime(2022, 10, 10, 5, 57, 31, 877000)
    expected = {"n": 493_227, "parts": 471_378, "unread": 1, "zeros": 0, "machines": ["Line7", "Line8"]}
    assert found == expected | {"flagged": 0, "first": first}
    assert plant.load() == []


# The plan's rows look alike but for their ID, the inspections' but for their time: none may pass for a copy.
@pytest.mark.parametrize("plant", ["mes"], indirect=True)
def test_dumps_of_the_mes_are_loaded_and_the_one_of_another_table_is_refused(plant):
    plan, inspections, orders = plant.load()
    assert (plan.row_count, plan.reject_count) == (2369, 0)
    columns = "count(distinct t._hash) as n, sum({}) as total, count(distinct {}) as keys"
    keys = "(product_name, line_id, planned_start_at)"
    assert plant.query(columns.format("planned_quantity", keys), "production_plan") == [
        {"n": 2369, "total": 86_990, "keys": 1753}
    ]
    assert (inspections.row_count, inspections.reject_count) == (30_016, 0)
    keys = "(product_name, machine_id, interval_start_at)"
    assert plant.query(columns.format("total_count", keys), "production_count") == [
        {"n": 30_016, "total": 55_149, "keys": 30_016}
    ]
    assert (orders.status, orders.row_count) == ("failed", 0)
    assert "432 of 432 records" in orders.error and "the header is that of another table" in orders.error
