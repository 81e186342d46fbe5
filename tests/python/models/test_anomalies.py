"""Anomaly detection night by night: what a late reading, a note or a repeat changes, and what is flagged at all."""

import math
import random
from contextlib import closing
from datetime import datetime, timedelta

import duckdb
import pytest
from comparison import differences
from warehouse import PLANT, Warehouse

START = datetime(2024, 1, 1)
STEP = timedelta(minutes=10)
DAY = 144
SENSORS = """sensor_id,machine_id,quantity,unit,period_s,upper_limit
S1,M1,temperature,°C,600,80
S2,M1,pressure,bar,600,
S3,M2,temperature,°C,600,
"""
TABLES = ["sensor_reading", "maintenance", "process_change", "schedule_change", "machine_state", "metric_point"]
SOURCES = "".join(
    f"  - {{name: {table}, kind: files, path: inbox/{table}*.ndjson, table: {table}}}\n" for table in TABLES[1:]
)
LATER = ["stg_load", "int_touched_sensor_minute", "int_sensor_minute_aligned", "sensor_day", "int_metric_series+"]


@pytest.fixture(scope="module")
def factory(tmp_path_factory) -> Warehouse:
    plant = PLANT.replace("[sensors]", "[sensors, anomalies]") + SOURCES
    return Warehouse(tmp_path_factory.mktemp("anomalies"), plant=plant)


@pytest.fixture
def plant(factory, monkeypatch) -> Warehouse:
    """Its first build is of everything; those after it of what anomalies are made of, as a refresh does."""
    monkeypatch.setenv("FIRSTPASS_REFRESHED", " ".join(TABLES))
    start(factory)
    return factory


def start(plant: Warehouse, whole_weeks: bool = False) -> None:
    plant.reset(whole_weeks)
    plant.refer(sensors=SENSORS, machines="machine_id,line_id\nM1,L1\nM2,L1\n")


def series(sensor: str, days: int, seed: int = 1, **changes) -> list[dict]:
    """Readings every ten minutes with a daily rhythm and some noise; `changes`: value by the reading's number."""
    noise = random.Random(seed)
    readings = []
    for number in range(days * DAY):
        at = START + number * STEP
        value = 20 + 3 * math.sin(2 * math.pi * number / DAY) + noise.gauss(0, 0.5)
        readings.append({"sensor_id": sensor, "reading_at": f"{at.isoformat()}Z", "value": value})
    return readings


def night(plant: Warehouse, *readings: dict, **tables: list[dict]) -> None:
    plant.load(**({"sensor_reading": list(readings)} if readings else {}), **tables)
    is_first = not query(plant, "select 1 from duckdb_tables() where table_name = 'anomaly'")
    assert plant.build(*([] if is_first else ["--select", *LATER]))


def query(plant: Warehouse, text: str) -> list[tuple]:
    if not plant.paths.warehouse.exists():
        return []
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        return connection.execute(text).fetchall()


def found(plant: Warehouse) -> dict:
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        names = ("anomaly", "anomaly_point", "anomaly_context")
        return {name: connection.sql(f"select * from marts.{name} order by all").df() for name in names}


# A flag that depends on when a reading arrived can't be explained the day after, and is gone after a rebuild.
@pytest.mark.parametrize("whole_weeks", [False, True])
def test_nights_late_readings_and_repeats_give_the_flags_of_one_build(plant, whole_weeks):
    start(plant, whole_weeks)
    readings = [row for number, sensor in enumerate(["S1", "S2", "S3"]) for row in series(sensor, 10, number)]
    for row in readings:
        at = datetime.fromisoformat(row["reading_at"][:-1])
        if row["sensor_id"] == "S1" and datetime(2024, 1, 7, 3) <= at < datetime(2024, 1, 7, 6):
            row["value"] += 8
        if row["sensor_id"] == "S2" and datetime(2024, 1, 8, 12) <= at < datetime(2024, 1, 8, 12, 30):
            row["value"] -= 12

    def day(row: dict) -> int:
        return int(row["reading_at"][8:10])

    late = [row for row in readings if day(row) == 6 and row["sensor_id"] == "S1"][40:60]
    span = {"start_at": "2024-01-08T11:00:00Z", "end_at": "2024-01-08T13:00:00Z"}
    maintenance = {"machine_id": "M1", "kind": "planned"} | span
    night(plant, *(row for row in readings if day(row) <= 5))
    night(plant, *(row for row in readings if 5 <= day(row) <= 8 and row not in late))
    before = found(plant)["anomaly"]
    assert {(row.entity, row.detector) for row in before.itertuples()} >= {("S2", "spike")}
    night(plant, *(row for row in readings if day(row) > 8), *late, maintenance=[maintenance])
    after = found(plant)
    assert "S2" not in set(after["anomaly"].entity)
    assert "S1" in set(after["anomaly"].entity)
    # where whole days are written, those of daily series reach back to their week's Monday, and all others with them
    first = "2024-01-01" if whole_weeks else "2024-01-05"
    assert query(plant, "select min(touched_from)::string from intermediate.int_touched_metric") == [(first,)]
    drawn = after["anomaly_context"].groupby("anomaly_id")
    assert set(drawn.groups) == set(after["anomaly"].anomaly_id[after["anomaly"].is_within_budget])
    assert drawn.is_flagged.sum().min() > 0 and drawn.size().max() <= 120
    # a trouble is drawn among what came before it
    assert drawn.is_flagged.agg(lambda flags: not flags.iloc[0]).any()
    assert plant.build("--full-refresh", "--select", *LATER)
    assert differences(found(plant), after) == []


def attempts(machine: str, days: int, seed: int, fails: int, seconds: float) -> list[dict]:
    """Of each of six products 25 modules a day; on the last two days `fails` of 25 fail, and all take `seconds`."""
    noise = random.Random(seed)
    return [
        {"serial_num": f"{machine}-{product}-{day}-{number}", "product_name": product, "test_name": "Scan"}
        | {"machine_id": machine, "test_timestamp": f"{(START + timedelta(days=day, hours=9)).isoformat()}Z"}
        | {"test_result": "FAIL" if number < (fails if day >= days - 2 else 2) else "PASS"}
        | {"test_duration_s": (seconds if day >= days - 2 else 10) + noise.gauss(0, 0.3)}
        for day in range(days)
        for product in "ABCDEF"
        for number in range(25)
    ]


# What goes wrong at a machine, a little with each product, was not found until somebody added the products up.
def test_a_machines_trouble_shows_in_all_its_products_together(plant):
    records = attempts("M1", 49, 1, 4, 10) + attempts("M2", 49, 2, 2, 10.5) + attempts("M3", 49, 3, 2, 10)
    night(plant, test_record=records)
    rows = query(plant, "select machine_id, metric, product_name, started_at from marts.anomaly")
    last = START + timedelta(days=47, hours=7)
    assert {(machine, metric, product) for machine, metric, product, _ in rows} == {
        ("M1", "first_pass_yield", None),
        ("M2", "relative_duration", None),
    }
    assert {start for *_, start in rows} <= {last, last + timedelta(days=1)}
