"""Between two nights only what is made of live sources is built: it has to mean what a night means."""

from contextlib import closing

import duckdb
import pytest
from comparison import differences
from warehouse import Warehouse

from pipeline.build import refreshed_models

TABLES = ["sensor_reading", "stream_gap"]
ATTEMPT = {
    "serial_num": "A1",
    "product_name": "P",
    "test_name": "T",
    "machine_id": "M",
    "test_timestamp": "2024-01-02T08:00:00",
    "test_result": "pass",
    "test_duration_s": 1,
}


def reading(minute: int, second: int, value: float) -> dict:
    return {"sensor_id": "S1", "reading_at": f"2024-01-02T08:{minute:02}:{second:02}Z", "value": value}


@pytest.fixture
def refresh(warehouse, monkeypatch):
    """Builds the part that `make refresh` builds."""
    warehouse.reset()
    warehouse.refer(sensors="sensor_id,machine_id,upper_limit,period_s\nS1,M1,30,1\n")

    def build() -> bool:
        with monkeypatch.context() as environment:
            environment.setenv("FIRSTPASS_REFRESHED", " ".join(TABLES))
            return warehouse.build("--select", *refreshed_models(TABLES))

    return build


def ledger(plant: Warehouse) -> tuple[int, int]:
    """Loads that are held, and loads that there are."""
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        held = connection.execute("select count(*) from ops.ledger where kind = 'load'").fetchone()[0]
        return held, connection.execute("select count(*) from raw.load").fetchone()[0]


# Figures of a running day that differ from those of the morning after are trusted by nobody; a test record that a
# refresh took for built would never be in any figure
def test_a_night_and_refreshes_give_the_marts_of_one_build(warehouse, refresh):
    gap = {"source": "line", "stream": "t/0", "gap_start_at": "2024-01-02T08:10:00Z", "reason": "broker away"}
    warehouse.load(test_record=[ATTEMPT], sensor_reading=[reading(0, 0, 20)])
    assert warehouse.build()
    for minute in (1, 0):
        warehouse.load(
            test_record=[ATTEMPT | {"serial_num": f"B{minute}"}],
            sensor_reading=[reading(minute, 1, 40), reading(0, 0, 20)],
            stream_gap=[gap | {"noted_at": f"2024-01-02T09:0{minute}:00Z"}],
        )
        assert refresh()
    held, loads = ledger(warehouse)
    assert held == loads - 2
    assert warehouse.marts()["sensor_minutes"].reading_count.tolist() == [2, 1]
    assert warehouse.build()
    after = warehouse.marts()
    assert len(after["test_attempt"]) == 3
    warehouse.drop_tables()
    assert warehouse.build("--full-refresh")
    assert differences(warehouse.marts(), after) == []
