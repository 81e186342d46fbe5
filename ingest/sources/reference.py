"""Reference data: every CSV beside plant.yml as `ref_<name>`, and the section `plant` of plant.yml as `ref_plant`.

The newest load of a table holds all that counts: a changed file is a new load, a vanished one a load without rows.
"""

import glob
import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingest.contract import CONTRACTS, REFERENCE
from ingest.lake import Load
from ingest.source import Batch, Object, Reading
from ingest.sources.files import file_object, pattern
from pipeline.paths import Paths
from pipeline.plant import FilesSource, Plant
from pipeline.subjects import YIELDS

SOURCE = "reference"
ABSENT = "absent"


def find(plant: Plant, paths: Paths, loads: list[Load]) -> Iterator[Object]:
    """`loads` is the manifest so far, by which vanished files are known. CSVs that a source names are left to it."""
    yield _plant_object(plant)
    reading = Reading(timezone=plant.plant.timezone)
    taken = {file for source in plant.sources if source.kind == "files" for file in _matches(plant, source)}
    files = [file for file in sorted(plant.folder.glob("*.csv")) if file.resolve() not in taken]
    for file in files:
        table = f"{REFERENCE}{file.stem}"
        source = FilesSource(name=SOURCE, kind="files", path=file.name, table=table, format="csv")
        yield file_object(file, file.name, source, reading, paths, latest_only=True)
    present = {file.name for file in files}
    known = {(load.table_name, load.object) for load in loads if load.source == SOURCE}
    for table, name in sorted(known):
        if name.endswith(".csv") and name not in present and table in CONTRACTS:
            yield _object(
                table, name, pa.table({column: pa.array([], pa.string()) for column in CONTRACTS[table].required})
            )


def _matches(plant: Plant, source: FilesSource) -> Iterator[Path]:
    return (Path(found).resolve() for found in glob.glob(pattern(plant, source), recursive=True))


def _plant_object(plant: Plant) -> Object:
    settings = plant.plant
    start = settings.production_day_start
    row = {
        "name": settings.name,
        "timezone": settings.timezone,
        "production_day_start_minutes": start.hour * 60 + start.minute,
        "serial_reuse_days": settings.serial_reuse_days,
        "wip_stale_days": settings.wip_stale_days,
        "subjects": " ".join([YIELDS, *settings.subjects]),
    }
    return _object(f"{REFERENCE}plant", "plant.yml", pa.Table.from_pylist([row]))


def _object(table: str, name: str, records: pa.Table) -> Object:
    """Records that are at hand; their content is their version."""
    content = json.dumps(records.to_pylist())
    rows = np.arange(1, len(records) + 1, dtype=np.int64)
    return Object(
        source=SOURCE,
        table=table,
        name=name,
        version=content if len(records) else ABSENT,
        digest=hashlib.sha256(content.encode()).hexdigest,
        batches=partial(iter, [Batch(records, rows)]),
        reading=Reading(timezone="UTC"),
        latest_only=True,
    )
