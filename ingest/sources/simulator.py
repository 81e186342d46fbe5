"""The simulated plant: its first load is the history, every later run brings the next production day.

An object's name says which days it holds, counted from the start, so that the next ones follow from the manifest.
`test_record` is loaded last: once it is there, so are the other tables of those days; a run that broke off is
repeated.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from ingest.lake import Load
from ingest.source import BATCH_ROWS, Batch, Object, Reading
from pipeline.plant import Plant, PlantError, SimulatorSource

LAST_TABLE = "test_record"
DAYS = re.compile(r"(?P<settings>.*) days=(?P<begin>\d+)-(?P<end>\d+)")


def find(plant: Plant, source: SimulatorSource, loads: list[Load]) -> Iterator[Object]:
    """The tables of the next days. `loads` is the manifest so far.

    Raises PlantError when the settings are not those of the days that were loaded before.
    """
    from generator import simulate  # not needed, nor its libraries, by a plant with records of its own

    settings = f"seed={source.seed} scale={source.scale:g} start={source.start}"
    begin, end = _next_days(source, settings, loads)
    tables = simulate(
        plant.folder,
        seed=source.seed,
        scale=source.scale,
        start=source.start,
        timezone=plant.plant.timezone,
        day_start=plant.plant.production_day_start,
        begin_day=begin,
        end_day=end,
    )
    name = f"{settings} days={begin}-{end}"
    for table in sorted(tables, key=lambda table: (table == LAST_TABLE, table)):
        yield Object(
            source=source.name,
            table=table,
            name=name,
            version=name,
            digest=hashlib.sha256(name.encode()).hexdigest,
            batches=partial(_batches, tables[table]),
            reading=Reading(timezone=plant.plant.timezone),
        )


def _next_days(source: SimulatorSource, settings: str, loads: list[Load]) -> tuple[int, int]:
    done = [
        found
        for load in loads
        if (load.source, load.table_name) == (source.name, LAST_TABLE) and (found := DAYS.fullmatch(load.object))
    ]
    for found in done:
        if found["settings"] != settings:
            raise PlantError(
                f"plant.yml: sources.{source.name}: the lake holds days simulated with {found['settings']}, not "
                f"{settings}: give this history a directory of its own, FIRSTPASS_DATA=<directory> make run"
            )
    if not done:
        return 0, source.weeks * 7
    last = max(int(found["end"]) for found in done)
    return last, last + 1


def _batches(records: pa.Table) -> Iterator[Batch]:
    for first in range(0, max(len(records), 1), BATCH_ROWS):
        part = records.slice(first, BATCH_ROWS)
        yield Batch(part, np.arange(first + 1, first + 1 + len(part), dtype=np.int64))
