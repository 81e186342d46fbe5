"""Weeks older than the plant's retention: their detail goes, their marts stay, and nothing changes them any more."""

import random
import shutil
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from comparison import differences
from warehouse import PLANT, Warehouse

from pipeline.paths import PROJECT
from pipeline.plant import load_plant
from pipeline.retention import Held, retain

DBT_FILES = ["dbt_project.yml", "profiles.yml", "models", "macros"]
DETAIL = {"test_attempt", "module_status"}
KEPT = PLANT + "retention: {detail: 4 weeks, raw: {test_record: 6 weeks}}\n"
MONDAY = datetime(2024, 1, 1, 12)


def attempt(serial: str, week: int, result: str = "pass", hour: int = 0, **fields) -> dict:
    return {
        "serial_num": serial,
        "product_name": "P",
        "test_name": "T",
        "machine_id": "M",
        "test_timestamp": (MONDAY + timedelta(weeks=week, hours=hour)).isoformat(),
        "test_result": result,
        "test_duration_s": 1.5,
        **fields,
    }


def weeks(first: int, last: int) -> list[dict]:
    """Per week a module that passes two tests, one that fails, and one that comes back three days later."""
    return [
        record
        for week in range(first, last)
        for record in (
            attempt(f"A{week}", week),
            attempt(f"A{week}", week, hour=1, test_name="U"),
            attempt(f"B{week}", week, "fail", hour=2, error_code="E1"),
            attempt(f"C{week}", week, "fail", hour=140),
            attempt(f"C{week}", week, hour=140 + 72),
            attempt(f"C{week}", week, hour=140 + 72, machine_id="M2", test_result="error"),
        )
    ]


@pytest.fixture
def plant(warehouse):
    warehouse.plant = KEPT
    warehouse.reset()
    yield warehouse
    warehouse.plant = PLANT


@pytest.fixture(scope="module")
def nine_weeks(warehouse, tmp_path_factory) -> Path:
    """The plant, and its data, after a night that brought nine weeks."""
    warehouse.plant = KEPT
    warehouse.reset()
    night(warehouse, *weeks(0, 9))
    kept = tmp_path_factory.mktemp("nine_weeks")
    for name in ("plant", "data"):
        shutil.copytree(warehouse.folder / name, kept / name)
    warehouse.plant = PLANT
    return kept


def go_back(plant: Warehouse, kept: Path) -> Warehouse:
    """The plant as it was when its folders were `kept`, after one file."""
    for name in ("plant", "data"):
        shutil.rmtree(plant.folder / name)
        shutil.copytree(kept / name, plant.folder / name)
    plant.files = 1
    return plant


@pytest.fixture
def seasoned(plant, nine_weeks) -> Warehouse:
    return go_back(plant, nine_weeks)


def night(plant: Warehouse, *records: dict, **tables: list[dict]) -> dict:
    """What comes is built, then what is due goes; gives the marts as they were published."""
    plant.load(**({"test_record": list(records)} if records else {}), **tables)
    held = Held.now(plant.paths)
    assert plant.build()
    marts = plant.marts()
    retain(load_plant(plant.folder / "plant"), plant.paths, held)
    return marts


def closed(marts: dict, before: str = "2024-02-05") -> dict:
    """The weekly marts' rows of the weeks before, and what has no week."""
    kept = {}
    for name, table in marts.items():
        if name in DETAIL or name in ("report_run", "route_step", "data_quality", "report_data_quality"):
            continue
        week = next((column for column in ("load_week_start", "production_week_start") if column in table), None)
        rows = table[table[week].astype(str) < before] if week else table
        kept[name] = rows.reset_index(drop=True)
    return kept


def findings(marts: dict) -> set[tuple]:
    columns = ["finding", "load_week", "product_name", "test_name", "table_name", "finding_count"]
    table = marts["data_quality"][columns].astype(object)
    return set(table.where(table.notna(), None).itertuples(index=False, name=None))


def late(marts: dict) -> set[tuple]:
    return {found[1:] for found in findings(marts) if found[0] == "late_beyond_retention"}


def raw_rows(plant: Warehouse, condition: str = "true") -> int:
    with closing(duckdb.connect()) as connection:
        files = str(plant.paths.raw / "test_record" / "*.parquet")
        return connection.execute(f"select count(*) from read_parquet($1) where {condition}", [files]).fetchone()[0]


# a plant that frees its disk loses the figures that it wanted to keep
def test_dropping_detail_and_raw_changes_no_mart(plant):
    before = night(plant, *weeks(0, 9))
    after = night(plant)
    assert not differences(*({k: v for k, v in it.items() if k not in DETAIL} for it in (after, before)))
    assert after["test_attempt"].load_week_start.astype(str).min() == "2024-02-05"
    assert set(after["module_status"].load_week) == {"2024-W06", "2024-W07", "2024-W08", "2024-W09"}
    assert len(before["module_status"]) == 27
    # raw goes a run later, up to six weeks before the last test
    assert raw_rows(plant, "test_timestamp_local < '2024-01-22 07:00'") == 0 < raw_rows(plant)
    assert not differences(night(plant), after)
    # marts of closed weeks outlive further nights, which close more
    for week in range(9, 13):
        later = night(plant, *weeks(week, week + 1))
        assert not differences(closed(later), closed(before))
    assert plant.test()
    assert late(later) == set()
    assert raw_rows(plant, "test_timestamp_local < '2024-02-12 07:00'") == 0


# a tester that was offline for months, or a file sent again, changes figures that were reported long ago
def test_what_comes_too_late_for_a_closed_week_is_a_finding_and_changes_nothing(plant):
    history = [*weeks(0, 9), attempt("C3", 7, hour=24)]  # C3 again, 20 days after it was last tested
    night(plant, *history, rework=[repair("A0", 0), repair("NONE", 0)])
    before = night(plant)
    assert {found[0] for found in findings(before)} == {"inferred_route", "event_without_module"}

    resent = [record for record in history if record["serial_num"] in ("A0", "B1")]  # raw of week 0 is gone
    never_seen = attempt("NEW", 3)
    continued = attempt("C4", 8)  # beyond serial_reuse_days of C4's last: another module
    of_closed = attempt("A4", 5, hour=24)  # in an open week, but within the life of a module of a closed one
    bridge = attempt("C3", 5, hour=144)  # closes the gap: it was C3 of the closed week all the time
    after = night(
        plant,
        *resent,
        never_seen,
        continued,
        of_closed,
        bridge,
        rework=[repair("A1", 1)],
        disposition=[{"serial_num": "A1", "decided_at": str(MONDAY + timedelta(weeks=1, days=1)), "decision": "scrap"}],
    )
    assert late(after) == {
        ("2024-W01", "P", "T", "test_record", 1),
        ("2024-W01", "P", "U", "test_record", 1),
        ("2024-W02", "P", "T", "test_record", 1),
        ("2024-W04", "P", "T", "test_record", 1),
        ("2024-W06", "P", "T", "test_record", 2),
        ("2024-W08", "P", "T", "test_record", 1),
        ("2024-W02", "P", None, "rework", 1),
        ("2024-W02", "P", None, "disposition", 1),
    }
    assert not differences(closed(after), closed(before))
    assert ("event_without_module", None, None, None, "rework", 1) in findings(after)
    lives = after["module_status"].set_index("serial_num").life_number
    assert lives["C4"] == 2 and not {"A4", "C3", "NEW"} & set(lives.index)
    assert before["module_status"].set_index("serial_num").life_number["C3"] == 2
    assert plant.test()
    # they stay in raw, and are found again however often all is built
    later = night(plant, *weeks(9, 13))
    assert late(later) == late(after)
    assert raw_rows(plant, "serial_num = 'NEW'") == 1
    plant.refer(products="product_name,family\nP,F\n")
    assert late(night(plant)) == late(after)
    assert plant.test()


def repair(serial: str, week: int) -> dict:
    moment = MONDAY + timedelta(weeks=week, days=1)
    return {"serial_num": serial, "rework_timestamp": str(moment), "component": "lens", "action": "replace"}


# an upgrade, or a new line in routes.csv, costs the plant its history or stops its night
def test_changed_reference_data_rebuilds_the_open_weeks_only(seasoned):
    plant = seasoned
    before = night(plant)
    plant.refer(routes="product_name,test_name,sequence,max_attempts\nP,T,1,1\nP,U,2,1\n")
    after = night(plant)
    assert not differences(closed(after), closed(before))
    status = {
        name: table["module_status"].set_index("serial_num").status
        for name, table in {"before": before, "after": after}.items()
    }
    assert (status["before"]["B8"], status["after"]["B8"]) == ("work_in_progress", "scrap")
    assert plant.test()


def test_a_full_refresh_is_refused_where_weeks_are_closed(seasoned):
    plant = seasoned
    before = night(plant)
    for arguments in (["--full-refresh"], ["--full-refresh", "--select", "station_day"]):
        with pytest.raises(AssertionError, match="Weeks before 2024-02-05 are closed: a full refresh would lose them"):
            plant.build(*arguments)
    # a build that was killed while it carried out a closing does it once more
    with closing(duckdb.connect(str(plant.paths.warehouse))) as connection:
        connection.execute("delete from ops.closed")
    assert not differences(night(plant), before)


# an upgrade that adds a column stops every night from then on, or empties the closed weeks
def test_a_new_column_is_null_in_closed_weeks(tmp_path):
    for item in DBT_FILES:
        (shutil.copytree if (PROJECT / item).is_dir() else shutil.copy)(PROJECT / item, tmp_path / item)
    plant = Warehouse(tmp_path / "state", project=tmp_path, plant=KEPT)
    plant.reset()
    night(plant, *weeks(0, 9))
    before = night(plant)
    model = tmp_path / "models" / "intermediate" / "int_product_week.sql"
    model.write_text(
        model.read_text().replace("count(*) as load_qty,", "count(*) as load_qty, 5::bigint as new_column,")
    )
    plant.manifests.clear()
    after = night(plant)
    assert not differences(after, before)
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        found = connection.execute(
            "select load_week, new_column from intermediate.int_product_week order by 1"
        ).fetchall()
    assert [value for _, value in found] == [None] * 5 + [5] * 4


# a warehouse that begins in the middle of the plant's history passes for the whole of it
def test_without_the_warehouse_that_held_closed_weeks_nothing_is_built(seasoned):
    plant = seasoned
    before = night(plant)
    plant.paths.warehouse.unlink()
    with pytest.raises(AssertionError, match="are closed, and this warehouse does not hold them"):
        plant.build()
    assert plant.build("--vars", "without_closed_weeks: true")
    after = plant.marts()
    assert set(after["summary_prod"].load_week) == {"2024-W06", "2024-W07", "2024-W08", "2024-W09"}
    assert not differences(
        *(
            {"summary_prod": it["summary_prod"][it["summary_prod"].load_week > "2024-W06"].reset_index(drop=True)}
            for it in (after, before)
        )
    )
    assert plant.build()


# products without a route on file get another one as their first modules go
def test_an_inferred_route_outlives_the_modules_that_took_its_tests(plant):
    once = attempt("FIRST", 0, test_name="CALIBRATION", hour=-1)
    before = night(plant, once, attempt("FIRST", 0), *weeks(0, 9))
    for week in range(9, 12):
        after = night(plant, *weeks(week, week + 1))
    assert "CALIBRATION" in set(before["route_step"].test_name)
    assert not differences({"route_step": after["route_step"]}, {"route_step": before["route_step"]})


def test_within_retention_records_come_in_any_split_and_order(seasoned, nine_weeks):
    chance = random.Random(1)
    coming = [
        attempt(
            f"{chance.choice('ABCD')}{chance.randint(5, 10)}", chance.randint(6, 9), chance.choice(["pass", "fail"])
        )
        for _ in range(12)
    ] + chance.sample(weeks(6, 9), 4)
    expected = night(seasoned, *coming)
    go_back(seasoned, nine_weeks)
    chance.shuffle(coming)
    for part in range(3):
        found = night(seasoned, *coming[part::3])
    skipped = {"report_run"}  # the number of records received is the same, too, but not that of loads
    assert not differences(
        {k: v for k, v in found.items() if k not in skipped}, {k: v for k, v in expected.items() if k not in skipped}
    )
