"""Readings of many sensors at 1 Hz, as the loader leaves them in the lake.

The loader's own writer writes them, a batch of the loader's size a row group, in the order in which live readings come:
all sensors' of one second, then those of the next. Only the conversion of messages is left out.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingest.lake import SCHEMAS, Lake
from ingest.load_file import LoadFile
from ingest.source import BATCH_ROWS
from pipeline.paths import Paths
from pipeline.plant import load_plant

START = datetime(2024, 3, 4, 7)
SENSORS = 1_000
LOADS_PER_DAY = 24
PLANT = 'plant: {name: readings, timezone: UTC, production_day_start: "07:00"}\nsources: []\n'
TYPES, MAKERS = ("pump", "oven", "spindle", "chiller"), ("A", "B", "C")


def make_plant(folder: Path) -> None:
    """A plant whose sensors.csv has them all, with limits that a few readings are beyond."""
    folder.mkdir(parents=True)
    (folder / "plant.yml").write_text(PLANT)
    rows = "".join(
        f"{name(number)},M{number // 10},L{number // 100},temperature,{40 + number % 30},1\n"
        for number in range(SENSORS)
    )
    (folder / "sensors.csv").write_text(f"sensor_id,machine_id,line_id,quantity,upper_limit,period_s\n{rows}")


def load_readings(plant: Path, paths: Paths, first_s: int, seconds: int) -> int:
    """Adds loads with the readings from `first_s` to `seconds` after that, counted from START; their number."""
    lake = Lake(paths, load_plant(plant))
    span = 86_400 // LOADS_PER_DAY
    rows = 0
    for begin in range(first_s, first_s + seconds, span):
        load = lake.next_load("line", "sensor_reading", f"seconds {begin}", "", "")
        with LoadFile(lake, load) as file:
            for batch in _batches(begin, min(span, first_s + seconds - begin)):
                file.write(batch, pa.table({}))
                rows += len(batch)
            file.finish()
        seconds_read = (begin, begin + span)
        first, last = (START + timedelta(seconds=second) for second in seconds_read)
        lake.commit(replace(load, row_count=file.row_count, min_event_at=first, max_event_at=last))
    return rows


def name(number: int) -> str:
    return f"plant1/lane{number // 100}/sensor{number:04}"


def _batches(first_s: int, seconds: int) -> Iterator[pa.Table]:
    start_us = int(np.datetime64(START, "us").astype("int64"))
    phase_us = np.random.default_rng(1).integers(0, 1_000_000, SENSORS)
    for begin in range(first_s * SENSORS, (first_s + seconds) * SENSORS, BATCH_ROWS):
        place = np.arange(begin, min(begin + BATCH_ROWS, (first_s + seconds) * SENSORS))
        yield _records(place // SENSORS, place % SENSORS, start_us, phase_us, np.random.default_rng(begin))


def _records(
    second: np.ndarray, sensor: np.ndarray, start_us: int, phase_us: np.ndarray, random: np.random.Generator
) -> pa.Table:
    """Devices read within 5 ms of their time; a reading comes in .05 to .5 s later."""
    count = len(second)
    read_us = start_us + second * 1_000_000 + phase_us[sensor] + random.integers(-5_000, 5_000, count)
    arrived_us = read_us + random.integers(50_000, 500_000, count)
    value = 30 + sensor % 30 + 3 * np.sin(second / 86_400 * 2 * np.pi) + random.normal(0, 2, count)
    names = pa.array([name(number) for number in range(SENSORS)])
    columns = {
        "sensor_id": names.take(pa.array(sensor)),
        "reading_at": _times(read_us),
        "reading_at_local": _times(read_us),
        "value": pa.array(np.round(value, 2)),
        "component_type": pa.array(TYPES).take(pa.array(sensor % len(TYPES))),
        "component_manufacturer": pa.array(MAKERS).take(pa.array(sensor % len(MAKERS))),
        "plant_name": pa.repeat("plant1", count),
        "lane_number": pa.array([str(lane) for lane in range(SENSORS // 100)]).take(pa.array(sensor // 100)),
        "arrived_at": _times(arrived_us),
        "arrived_at_local": _times(arrived_us),
        "_row": pa.array(np.arange(1, count + 1)),
        "_hash": pa.array(random.integers(-(2**63), 2**63 - 1, count)),
    }
    schema = SCHEMAS["sensor_reading"]
    return pa.table(
        [columns.get(field.name, pa.nulls(count, field.type)).cast(field.type) for field in schema], schema=schema
    )


def _times(microseconds: np.ndarray) -> pa.Array:
    return pa.array(microseconds, pa.int64()).cast(pa.timestamp("us"))
