"""Weeks older than the plant's retention: their detail goes, their marts stay, and nothing changes them any more."""

import json
import random
from contextlib import closing
from datetime import datetime, timedelta

import duckdb
import pytest
from warehouse import PLANT, Warehouse, differences

from ingest import retention
from pipeline.plant import load_plant
from pipeline.retention import Held, retain

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
