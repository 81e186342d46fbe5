"""What becomes of sensor readings night by night: late ones, copies, other limits, readings that are gone."""

from contextlib import closing
from datetime import datetime

import duckdb
import pytest
from comparison import assert_published, differences
from warehouse import Warehouse

from ingest import retention
from publish import current_version, publish

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


# A night that builds all of history for one late reading outgrows the night; one that forgets it loses the reading. A
# broker that sends a day again would double its readings, or make the clock of each sensor look a day late.
def test_what_comes_late_or_again_opens_only_its_own_minute(plant):
    sent = [reading(f"{day:02}T12:{minute:02}:00") for day in (2, 9) for minute in range(30)]
    sent[0] |= {"arrived_at": "2024-01-02T12:00:01"}
    before = night(plant, *sent)
    after = night(plant, reading("02T12:07:30", 25.0), sent[0] | {"arrived_at": "2024-01-03T12:00:00"}, sent[1])
    touched = query(plant, "select minute_at from intermediate.int_touched_sensor_minute order by 1")
    assert touched == [(datetime(2024, 1, 2, 12, minute),) for minute in (0, 1, 7)]
    counts = after["sensor_minutes"].set_index("minute_at")
    assert (counts.reading_count.sum(), counts.record_count.sum()) == (61, 63)
    assert counts.reading_count[datetime(2024, 1, 2, 12, 7)] == 2
    assert counts.least_delay_s[datetime(2024, 1, 2, 12, 0)] == 1
    assert findings(after) - findings(before) >= {("duplicate_record", "2024-W01", "M1", 2, "S1")}
    reconciled = ["--select", "sensor_readings_are_counted_or_copies", "--vars", "verify_everything: true"]
    assert plant.dbt("test", *reconciled).success


# A report that shows a sensor as silent, or a gap, which a late file has long filled, is not believed the next time.
def test_a_late_file_fills_a_gap_and_leaves_what_is_before_and_after(plant):
    around = [reading(time) for time in ("02T23:59:50", "03T00:00:00", "03T07:00:10", "03T23:59:59", "04T00:05:00")]
    before = night(plant, *around)["sensor_gap"].set_index("gap_start_at").sort_index()
    assert [str(start) for start in before.index] == [
        "2024-01-03 00:00:00",
        "2024-01-03 07:00:10",
        "2024-01-03 23:59:59",
    ]
    assert before.expected_count.tolist() == [7 * 3600 + 9, 17 * 3600 - 12, 300]
    late = [reading(time) for time in ("03T00:00:59", "03T06:59:30", "04T00:06:30")]
    after = night(plant, *late)
    gaps = after["sensor_gap"].set_index("gap_start_at").sort_index()
    assert [str(start) for start in gaps.index] == [
        "2024-01-03 00:00:59",
        "2024-01-03 07:00:10",
        "2024-01-03 23:59:59",
        "2024-01-04 00:05:00",
    ]
    assert not gaps.is_open.any()
    plant.reset()
    plant.refer(sensors=SENSORS)
    assert not differences(night(plant, *late, *around), after)


# A publication of all minutes after every refresh would take longer than the time between two refreshes.
def test_only_days_with_new_readings_are_published_again(plant):
    night(plant, *(reading(f"{day:02}T12:00:00", lane_number="7", component_type="pump") for day in (2, 9)))
    publish(plant.paths)
    files = sorted((current_version(plant.paths.published) / "parquet").glob("sensor_*/production_date=*/data.parquet"))
    places = [str(file.relative_to(current_version(plant.paths.published))) for file in files]
    inodes = [file.stat().st_ino for file in files]
    night(plant, reading("09T12:00:30", 25.0))
    publish(plant.paths)
    assert_published(plant.paths)
    now = [(current_version(plant.paths.published) / place).stat().st_ino for place in places]
    assert [place.split("/")[1:3] for place, old, new in zip(places, inodes, now, strict=True) if old == new] == [
        ["sensor_hour", "production_date=2024-01-02"],
        ["sensor_minute", "production_date=2024-01-02"],
    ]
    assert len(places) == 4


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


# The minutes are what a plant keeps when it lets go of raw readings: no late reading must replace them, nor limits that
# were corrected; those judge all other readings anew.
def test_minutes_outlive_their_readings(plant):
    before = night(plant, *(reading(f"{day:02}T{hour:02}:00:00") for day in (2, 9) for hour in (7, 23)))
    retention.drop(plant.paths.raw, "sensor_reading", datetime(2024, 1, 8, 7), [])
    assert not differences(night(plant), before)
    after = night(plant, reading("02T07:00:30"), reading("09T07:00:30"))
    late = {found for found in findings(after) if found[0] == "late_beyond_retention"}
    assert late == {("late_beyond_retention", "2024-W01", "M1", 1, "S1")}
    assert minutes(after, "reading_count") == [("S1", 1), ("S1", 1), ("S1", 2), ("S1", 1)]
    plant.refer(sensors=SENSORS.replace("10,30", "10,15"))
    after = night(plant)
    assert minutes(after, "reading_count", "out_of_limits_count") == [
        ("S1", 1, 0),
        ("S1", 1, 0),
        ("S1", 2, 2),
        ("S1", 1, 1),
    ]
    for table in ("sensor_hour", "sensor_day"):
        assert after[table].reading_count.sum() == 5
    with pytest.raises(AssertionError, match="Sensor readings before 2024-01-08 are gone"):
        plant.build("--full-refresh")
