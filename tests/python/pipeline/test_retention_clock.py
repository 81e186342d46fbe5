"""What is due is reckoned from what was loaded, in the plant's weeks, and never moves back."""

from datetime import date, datetime

import pytest

from ingest import retention as lake
from ingest.lake import Load
from pipeline.paths import Paths
from pipeline.plant import PlantError, load_plant
from pipeline.retention import Due, Held, due, oldest_week, retain

PLANT = """
plant: {name: p1, timezone: Asia/Singapore, production_day_start: "07:00"}
retention: {detail: 2 weeks, raw: {test_record: 4 weeks, sensor_reading: 1 week}}
"""


@pytest.fixture
def plant(tmp_path):
    (tmp_path / "plant.yml").write_text(PLANT)
    return load_plant(tmp_path)


@pytest.fixture
def paths(tmp_path):
    paths = Paths(tmp_path / "data")
    for table in ("closing", "dropping", "test_record", "sensor_reading"):
        (paths.raw / table).mkdir(parents=True)
    return paths


def load(first: str | None, last: str | None, table: str = "test_record", **fields) -> Load:
    times = [moment and datetime.fromisoformat(moment) for moment in (first, last)]
    name = f"{table} {last}"
    return Load(
        name, "s", table, "o", "", "", datetime(2030, 1, 1), min_event_at=times[0], max_event_at=times[1], **fields
    )


def held(paths: Paths, *loads: Load) -> Held:
    return Held(list(loads), lake.closings(paths.raw))


# 07:00 in Singapore is 23:00 UTC of the day before
@pytest.mark.parametrize(("as_of", "week"), [("2024-02-25T22:59", "2024-02-05"), ("2024-02-25T23:00", "2024-02-12")])
def test_weeks_are_the_plants_production_weeks(plant, as_of, week):
    assert oldest_week(plant, datetime.fromisoformat(as_of), 2) == date.fromisoformat(week)


def test_the_newest_test_is_the_clock(plant, paths):
    loads = [
        load("2024-01-01", "2024-02-28"),
        load("2024-01-01", "2024-08-01", "sensor_reading"),  # another table
        load("2024-01-01", "2024-09-01", status="failed"),
        load(None, None),  # nothing but records that were ahead of their load
    ]
    assert due(plant, paths, held(paths, *loads)).closed_before == date(2024, 2, 12)
    assert due(plant, paths, held(paths)) == Due()


def test_nothing_is_due_before_something_is_old_enough(plant, paths):
    assert not due(plant, paths, held(paths, load("2024-02-20", "2024-02-28")))


def test_what_is_closed_stays_closed(plant, paths):
    loads = [load("2024-01-01", "2024-02-28")]
    said = retain(plant, paths, held(paths, *loads))
    assert said.startswith("weeks before 2024-02-12 closed")
    # raw waits until a build has carried the closing out
    assert due(plant, paths, held(paths, *loads)).dropped_before == {"test_record": datetime(2024, 1, 29, 7)}
    (plant.folder / "plant.yml").write_text(PLANT.replace("detail: 2", "detail: 3"))
    longer = load_plant(plant.folder)
    assert due(longer, paths, held(paths, *loads)).closed_before is None
    later = due(longer, paths, held(paths, *loads, load("2024-03-11", "2024-03-12")))
    assert later.closed_before == date(2024, 2, 19)


def test_each_table_has_its_own_time(plant, paths):
    loads = [load("2024-02-20", "2024-02-28"), load("2024-02-01", "2024-02-28", "sensor_reading")]
    coming = due(plant, paths, held(paths, *loads))
    assert coming == Due(None, {"sensor_reading": datetime(2024, 2, 19, 7)})
    assert retain(plant, paths, held(paths, *loads)) == "0 records of sensor_reading before 2024-02-19 07:00 dropped"
    assert not due(plant, paths, held(paths, *loads))


# a single step drops repairs, which are judged anew each night and kept for ever
def test_a_retention_that_would_lose_something_drops_nothing(plant, paths):
    (plant.folder / "plant.yml").write_text(PLANT.replace("sensor_reading", "rework"))
    loads = [load("2024-01-01", "2024-02-28", "rework"), load(None, "2024-02-28")]
    with pytest.raises(PlantError, match="retention.raw.rework: no table whose records can go"):
        retain(load_plant(plant.folder), paths, held(paths, *loads))
    assert not any((paths.raw / "dropping").iterdir())
