"""The simulated plant: its first load is the history, every later run brings the next production day.

An object's name says which days it holds, counted from the start, so that the next ones follow from the manifest. Days
are done once all tables of them are loaded; a run that broke off is repeated for the tables that are missing.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from generator import GeneratorError, schemas, simulate_weeks
from ingest.lake import Load
from ingest.source import BATCH_ROWS, Batch, Object, Reading
from pipeline.plant import Plant, PlantError, SimulatorSource

STREAMED, LARGE = "test_record", "sensor_reading"
DAYS = re.compile(r"(?P<settings>.*) days=(?P<begin>\d+)-(?P<end>\d+)")


def find(plant: Plant, source: SimulatorSource, loads: list[Load]) -> Iterator[Object]:
    """The tables of the next days. `loads` is the manifest so far.

    Raises PlantError when the settings are not those of the days that were loaded before, or can't be simulated.
    """
    settings = f"seed={source.seed} scale={source.scale:g} start={source.start}"
    if source.faults == "all":  # others leave test records as they are
        settings += " faults=all"
    try:
        tables = set(schemas(plant.folder, source.faults))
    except GeneratorError as error:
        raise PlantError(f"{plant.folder}: can't be simulated: {error}") from None
    begin, end = _next_days(source, settings, tables, loads)
    name = f"{settings} days={begin}-{end}"
    history = _History(plant, source, begin, end)
    for table in sorted(tables, key=lambda table: (table != STREAMED, table)):
        yield Object(
            source=source.name,
            table=table,
            name=name,
            version=name,
            digest=hashlib.sha256(name.encode()).hexdigest,
            batches=partial(history.batches, table),
            reading=Reading(timezone=plant.plant.timezone),
        )


def _next_days(source: SimulatorSource, settings: str, tables: set[str], loads: list[Load]) -> tuple[int, int]:
    loaded: dict[tuple[int, int], set[str]] = {}
    for load in loads:
        if load.source == source.name and (found := DAYS.fullmatch(load.object)):
            if found["settings"] != settings:
                raise PlantError(
                    f"plant.yml: sources.{source.name}: the lake holds days simulated with {found['settings']}, not "
                    f"{settings}: give this history a directory of its own, FIRSTPASS_DATA=<directory> make run"
                )
            loaded.setdefault((int(found["begin"]), int(found["end"])), set()).add(load.table_name)
    if not loaded:
        return 0, source.weeks * 7
    last = max(loaded)
    return (last[1], last[1] + 1) if loaded[last] >= tables else last


class _History:
    """Days of the simulated plant, a piece at a time; what small tables have is kept while the test records stream."""

    def __init__(self, plant: Plant, source: SimulatorSource, begin: int, end: int):
        self.plant, self.source, self.days = plant, source, (begin, end)
        self.kept: list[dict[str, pa.Table]] = []

    def batches(self, table: str) -> Iterator[Batch]:
        first = 1
        pieces = self.kept if self.kept and table not in (STREAMED, LARGE) else self._pieces(table)
        for piece in (piece for piece in pieces if table in piece):
            for start in range(0, max(len(piece[table]), 1), BATCH_ROWS):
                part = piece[table].slice(start, BATCH_ROWS)
                yield Batch(part, np.arange(first, first + len(part), dtype=np.int64))
                first += len(part)

    def _pieces(self, table: str) -> Iterator[dict[str, pa.Table]]:
        settings = self.plant.plant
        kept, tables = [], {table}
        if table == STREAMED:
            tables = set(schemas(self.plant.folder, self.source.faults)) - {LARGE}
        try:
            for piece in simulate_weeks(
                self.plant.folder,
                seed=self.source.seed,
                scale=self.source.scale,
                start=self.source.start,
                timezone=settings.timezone,
                day_start=settings.production_day_start,
                begin_day=self.days[0],
                end_day=self.days[1],
                serial_reuse_days=settings.serial_reuse_days,
                fault_mode=self.source.faults,
                tables=tables,
            ):
                kept.append({name: records for name, records in piece.items() if name != table})
                yield piece
        except GeneratorError as error:
            raise PlantError(f"{self.plant.folder}: can't be simulated: {error}") from None
        if table == STREAMED:
            self.kept = kept
