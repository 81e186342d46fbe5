"""`make refresh`: what live sources have landed is in the published figures, between two nights."""

import shutil
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import yaml
from nightly_plant import DEMO, NightlyPlant, query

from ingest.source import Reading
from ingest.stream.landing import Piece, Segment

KAFKA = {"name": "line", "kind": "kafka", "brokers": "localhost:1", "topics": ["t"]}


def with_stream(folder, data) -> NightlyPlant:
    """The demo plant, with a live source besides."""
    shutil.copytree(DEMO, folder)
    content = yaml.safe_load((folder / "plant.yml").read_text())
    content["sources"].append(KAFKA)
    (folder / "plant.yml").write_text(yaml.safe_dump(content))
    return NightlyPlant(data, folder)


def land(plant: NightlyPlant, first: int, count: int) -> None:
    """Readings with these offsets, a minute apart."""
    begin = datetime(2024, 1, 8, tzinfo=UTC)
    times = [(begin + timedelta(minutes=minute)).isoformat() for minute in range(first, first + count)]
    records = pa.table({"sensor_id": ["s1"] * count, "reading_at": times, "value": ["1"] * count})
    ranges = {"t/0": [[first, first + count - 1]]}
    segment = Segment(plant.data / "landing" / "line", {"sensor_reading": Reading(timezone="UTC")})
    segment.append(
        [Piece("sensor_reading", records, ["t/0"] * count, list(range(first, first + count)), [], ranges, [])]
    )
    segment.close()


@pytest.fixture
def plant(nights, tmp_path) -> NightlyPlant:
    """As the nights have left it."""
    shutil.copytree(nights.plant.data, tmp_path / "data", symlinks=True)
    return with_stream(tmp_path / "plant", tmp_path / "data")


def built(plant: NightlyPlant) -> int:
    found = query(
        plant.data / "warehouse.duckdb", "select sum(reading_count) from intermediate.int_sensor_minute_aligned"
    )
    return int(found[0][0] or 0)


# A shift lead who looks at noon sees yesterday's readings; or the simulated day of the coming night is there at noon
def test_a_refresh_loads_builds_and_publishes_what_is_landed_and_nothing_else(plant):
    loads, version, before = plant.loads(), plant.version, built(plant)
    land(plant, 0, 3)
    plant.run_well("refresh")
    assert [load[:2] for load in plant.loads()[len(loads) :]] == [("line", "sensor_reading")]
    assert (built(plant), len(plant.ledger())) == (before + 3, len(plant.loads()))
    assert plant.version != version
    version = plant.version
    assert plant.run_well("refresh").last_line.endswith("0 rows in 0 loads")
    assert plant.version == version


# What a failed night has left half built would be published at noon
def test_after_a_failed_build_a_refresh_builds_all(plant):
    (plant.data / "build-unfinished").touch()
    before = built(plant)
    land(plant, 0, 3)
    said = plant.run_well("refresh").out
    models = int(said.split("build")[1].split(" s ")[1].split()[0])
    assert models > 50
    assert not (plant.data / "build-unfinished").exists()
    assert built(plant) == before + 3


# A timer that is faster than the first night would fail every few minutes
def test_before_the_first_night_a_refresh_leaves_all_to_it(tmp_path):
    plant = with_stream(tmp_path / "plant", tmp_path / "data")
    land(plant, 0, 1)
    assert plant.run_well("refresh").last_line == "nothing was built yet: `make run` loads what is landed, too"
    assert list((plant.data / "landing" / "line").iterdir())
