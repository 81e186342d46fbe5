"""Records of sensors and streams: what makes a reading, and how one that comes again is known."""

import json

import pytest
from plant_site import Site

READING = {"sensor_id": "S1", "reading_at": "2024-01-01T00:00:00Z", "value": 21.5}


@pytest.fixture
def sensors(site) -> Site:
    return site.describe(path="inbox/*.ndjson", table="sensor_reading")


def put(site: Site, *rows: dict, name: str = "a.ndjson") -> None:
    site.put(name, "".join(json.dumps(row) + "\n" for row in rows))


def readings(site: Site) -> list[dict]:
    return site.rows("sensor_reading")


# A broker that delivers twice would double every mean of the minute.
def test_a_reading_that_comes_again_has_the_same_hash_whenever_it_comes(sensors):
    for second in (1, 2):
        arrival = {"arrived_at": f"2024-01-01T00:00:0{second}Z", "server_at": f"2024-01-01T00:00:0{second}Z"}
        put(sensors, READING | arrival, READING | arrival | {"value": 21.6}, name=f"{second}.ndjson")
    put(sensors, READING, name="without.ndjson")
    sensors.load()
    assert len({row["_hash"] for row in readings(sensors) if row["value"] == 21.5}) == 1
    assert len({row["_hash"] for row in readings(sensors)}) == 2


# A sensor that says it is broken sends no value: that it said so must not be lost.
def test_a_reading_is_a_value_or_a_status(sensors):
    put(sensors, READING | {"value": None, "status": "Bad", "status_code": "BadSensorFailure"}, READING | {"value": ""})
    assert (sensors.load_one().row_count, len(readings(sensors))) == (1, 1)
    assert [(row["value"], row["status"], row["status_code"]) for row in readings(sensors)] == [
        (None, "bad", "BadSensorFailure")
    ]
    assert sensors.rejects()[0][-1] == "value or status is missing"


# A protocol's word for good that we don't know costs live readings that nobody sends again.
def test_statuses_that_are_not_known_are_kept(sensors):
    put(sensors, *(READING | {"status": status} for status in ("OK", "Invalid", "uncertain", "Stale-ish", "", None)))
    sensors.load()
    assert [row["status"] for row in readings(sensors)] == ["good", "bad", "uncertain", "stale-ish", None, None]


# A gap that is open would be taken for a broken record, and with it the only note that readings are missing.
def test_a_gap_is_noted_when_it_opens_and_again_when_it_is_over(site):
    site.describe(path="inbox/*.ndjson", table="stream_gap")
    opened = {"source": "press", "stream": "t/0", "gap_start_at": "2024-01-01T00:00:00Z", "reason": "broker away"}
    put(
        site,
        opened | {"noted_at": "2024-01-01T00:00:05Z"},
        opened | {"noted_at": "2024-01-01T00:09:00Z", "gap_end_at": "2024-01-01T00:08:00Z", "is_replayed": True},
        opened | {"noted_at": "2024-01-01T00:09:00Z", "lost_count": -1},
    )
    load = site.load_one()
    assert (load.row_count, load.reject_count) == (2, 1)
    assert [row["is_replayed"] for row in site.rows("stream_gap")] == [None, True]
