"""What becomes of sensor readings night by night: late ones, copies, other limits, readings that are gone."""

from contextlib import closing
from datetime import datetime

import duckdb
import pytest
from comparison import differences
from warehouse import Warehouse

from ingest import retention

SENSORS = "sensor_id,machine_id,lower_limit,upper_limit,period_s\nS1,M1,10,30,1\n"


@pytest.fixture
def plant(warehouse) -> Warehouse:
    warehouse.reset()
    warehouse.refer(sensors=SENSORS)
    return warehouse


def reading(time: str, value: float | None = 20.0, sensor: str = "S1", **fields) -> dict:
    return {"sensor_id": sensor, "reading_at": f"2024-01-{time}", "value": value, **fields}


def night(plant: Warehouse, *readings: dict, **tables: list[dict]) -> dict:
    plant.load(**({"sensor_reading": list(readings)} if readings else {}), **tables)
    assert plant.build()
    return plant.marts()


def findings(marts: dict) -> set[tuple]:
    table = marts["data_quality"][["finding", "load_week", "machine_id", "finding_count", "example"]].astype(object)
    return set(table.where(table.notna(), None).itertuples(index=False, name=None))


def minutes(marts: dict, *columns: str) -> list[tuple]:
    return list(marts["sensor_minutes"][["sensor_id", *columns]].itertuples(index=False, name=None))


def query(plant: Warehouse, text: str) -> list[tuple]:
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        return connection.execute(text).fetchall()


# A night that builds all of history for one late reading outgrows the night; one that forgets it loses the reading.
def test_a_late_reading_opens_only_its_own_minute(plant):
    night(plant, *(reading(f"{day:02}T12:{minute:02}:00") for day in (2, 9) for minute in range(30)))
    after = night(plant, reading("02T12:07:30", 25.0))
    assert query(plant, "select sensor_id, minute_at from intermediate.int_touched_sensor_minute") == [
        ("S1", datetime(2024, 1, 2, 12, 7))
    ]
    counts = after["sensor_minutes"].set_index("minute_at").reading_count
    assert len(counts) == 60 and counts[datetime(2024, 1, 2, 12, 7)] == 2 and counts.sum() == 61
    night(plant)
    assert query(plant, "select count(*) from intermediate.int_touched_sensor_minute") == [(0,)]
    assert plant.test()


# A broker that sends a day again would double its readings, or make the clock of each sensor look a day late.
def test_a_redelivery_in_another_load_changes_no_figure(plant):
    sent = [reading(f"02T12:00:{second:02}", arrived_at=f"2024-01-02T12:00:{second + 1:02}") for second in range(30)]
    before = night(plant, *sent)
    again = night(plant, *(row | {"arrived_at": "2024-01-03T12:00:00"} for row in sent))
    same = [name for name in before["sensor_minutes"].columns if name != "record_count"]
    assert minutes(before, *same) == minutes(again, *same)
    assert findings(again) - findings(before) == {("duplicate_record", "2024-W01", "M1", 30, "S1")}


# Limits that were corrected would be applied from tomorrow on, and the past go on accusing the machine.
def test_changed_limits_judge_past_readings_anew(plant):
    assert minutes(night(plant, reading("02T12:00:00", 31.0)), "out_of_limits_count") == [("S1", 1)]
    plant.refer(sensors=SENSORS.replace("10,30", "10,31"))
    assert minutes(night(plant), "out_of_limits_count") == [("S1", 0)]


# Whoever looks for the reason of a strange curve looks here first.
def test_each_thing_that_can_be_wrong_with_readings_is_a_finding(plant):
    arrived = {"arrived_at": "2024-01-02T12:00:00"}
    gap = {"source": "press", "stream": "t/0", "reason": "=broker away", "noted_at": "2024-01-03T00:00:00"}
    marts = night(
        plant,
        reading("02T11:59:58"),
        reading("02T12:03:00", **arrived),  # future
        {**reading("02T12:00:00", **arrived), "reading_at": "2023-12-01T00:00:00"},  # too late, and a clock that is off
        reading("02T12:00:05", None, status="bad"),
        reading("02T12:00:06", status="uncertain"),
        reading("02T12:00:07", 31.0),
        *(reading("02T12:00:08", value) for value in (20.0, 21.0, 22.0)),
        reading("02T12:59:59"),
        reading("02T12:00:09", sensor="S2"),
        stream_gap=[
            gap | {"gap_start_at": "2024-01-02T12:00:00.5", "gap_end_at": "2024-01-02T12:08:00", "lost_count": 3},
            gap | {"gap_start_at": "2024-01-02T13:00:00"},
        ],
    )
    assert findings(marts) == {
        ("future_timestamp", "2024-W01", "M1", 1, "S1"),
        ("late_reading", "2023-W48", "M1", 1, "S1"),
        ("clock_skew", "2023-W48", "M1", 1, "S1"),
        ("clock_skew", "2024-W01", "M1", 1, "S1"),
        ("bad_reading", "2024-W01", "M1", 1, "S1"),
        ("uncertain_reading", "2024-W01", "M1", 1, "S1"),
        ("reading_out_of_limits", "2024-W01", "M1", 1, "S1"),
        ("duplicate_record", "2024-W01", "M1", 2, "S1"),
        ("conflicting_record", "2024-W01", "M1", 1, "S1"),
        ("stuck_clock", "2024-W01", "M1", 1, "S1"),
        ("missing_reading", "2024-W01", "M1", 3602 - 5, "S1"),
        ("unknown_sensor", None, None, 1, "S2"),
        ("stream_gap", "2024-W01", None, 1, "t/0"),
    }
    gaps = marts["data_quality"].query("finding == 'stream_gap'").detail
    assert set(gaps) == {
        "press: =broker away, 2024-01-02 12:00:00 to 2024-01-02 12:08:00, 3 messages lost",
        "press: =broker away, since 2024-01-02 13:00:00",
    }
    assert plant.test()


# The minutes are what a plant keeps when it lets go of raw readings: one late reading must not replace them.
def test_minutes_outlive_their_readings(plant):
    before = night(plant, *(reading(f"{day:02}T{hour:02}:00:00") for day in (2, 9) for hour in (7, 23)))
    retention.drop(plant.paths.raw, "sensor_reading", datetime(2024, 1, 8, 7), [])
    assert not differences(night(plant), before)
    late = night(plant, reading("02T07:00:30"), reading("09T07:00:30"))
    assert findings(late) - findings(before) == {("late_beyond_retention", "2024-W01", "M1", 1, "S1")}
    assert minutes(late, "reading_count") == [("S1", 1), ("S1", 1), ("S1", 2), ("S1", 1)]
    plant.refer(sensors=SENSORS.replace("10,30", "10,15"))
    rebuilt = night(plant)
    assert minutes(rebuilt, "reading_count", "out_of_limits_count") == [
        ("S1", 1, 0),
        ("S1", 1, 0),
        ("S1", 2, 2),
        ("S1", 1, 1),
    ]
    assert plant.test()
    with pytest.raises(AssertionError, match="Sensor readings before 2024-01-08 are gone"):
        plant.build("--full-refresh")
