"""The lake: one Parquet file per load and table, committed by the manifest that is renamed last.

A load is visible once `load/<load_id>.parquet` is there. Whatever a killed load left behind lacks it, and is removed
when the lake is opened for loading. Only one process may do that at a time: the caller holds the run lock.
"""

import json
import os
import re
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.contract import CONTRACTS
from pipeline.disk import flush
from pipeline.paths import Paths
from pipeline.plant import Plant, PlantError

PART = ".part"
SCHEMA_FILE = "schema.parquet"
COMPACTED = "compacted-"
REPLACES = b"firstpass.replaces"
ID_TIME = "%Y%m%dT%H%M%S%f"
LOAD_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{6}")

MANIFEST_SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("source", pa.string()),
        ("table_name", pa.string()),
        ("object", pa.string()),
        ("sha256", pa.string()),
        ("version", pa.string()),
        ("started_at", pa.timestamp("us")),
        ("finished_at", pa.timestamp("us")),
        ("row_count", pa.int64()),
        ("reject_count", pa.int64()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("min_event_at", pa.timestamp("us")),
        ("max_event_at", pa.timestamp("us")),
    ]
)
REJECT_SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("table_name", pa.string()),
        ("row", pa.int64()),
        ("record", pa.string()),
        ("reason", pa.string()),
    ]
)
CLOSING_SCHEMA = pa.schema(
    [("closed_before", pa.date32()), ("last_load_id", pa.string()), ("closed_at", pa.timestamp("us"))]
)
DROPPING_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("dropped_before", pa.timestamp("us")),
        ("dropped_at", pa.timestamp("us")),
        ("row_count", pa.int64()),
    ]
)
SCHEMAS = {name: contract.schema for name, contract in CONTRACTS.items()}
SCHEMAS |= {"load": MANIFEST_SCHEMA, "reject": REJECT_SCHEMA, "closing": CLOSING_SCHEMA, "dropping": DROPPING_SCHEMA}


@dataclass(frozen=True)
class Load:
    """One row of the manifest: an object that was loaded into a table, or could not be. Times are UTC, naive.

    `status` is loaded or failed; a deferred object has a `Load` in what a run returns, but none in the manifest.
    """

    load_id: str
    source: str
    table_name: str
    object: str
    sha256: str
    version: str
    started_at: datetime
    finished_at: datetime | None = None
    row_count: int = 0
    reject_count: int = 0
    status: str = "loaded"
    error: str | None = None
    min_event_at: datetime | None = None
    max_event_at: datetime | None = None


class Lake:
    """Opened for loading: leftovers are gone, every table has its `schema.parquet`, `loads` is the manifest in order.

    Raises PlantError when the directory holds another plant's records.
    """

    def __init__(self, paths: Paths, plant: Plant):
        self.paths = paths
        self.folder = paths.raw
        self._remember(plant)
        for table, schema in SCHEMAS.items():
            self._keep_schema(table, schema)
        self.loads: list[Load] = []
        self._by_object: dict[tuple[str, str, str], list[Load]] = {}
        for load in read_manifest(self.folder):
            self._add(load)
        self._remove_leftovers()

    def table(self, name: str) -> Path:
        return self.folder / name

    def next_load(self, source: str, table: str, name: str, sha256: str, version: str) -> Load:
        """A load that starts now. Its id sorts after all others, even if the clock was set back."""
        now = datetime.now(UTC).replace(tzinfo=None)
        moment = now
        if self.loads:
            newest = datetime.strptime(self.loads[-1].load_id.split("-")[0], ID_TIME)
            moment = max(now, newest + timedelta(microseconds=1))
        load_id = f"{moment.strftime(ID_TIME)}-{secrets.token_hex(3)}"
        return Load(load_id, source, table, name, sha256, version, started_at=now)

    def commit(self, load: Load) -> Load:
        """Writes the manifest of a load whose files are in place: from here on it counts."""
        load = replace(load, finished_at=datetime.now(UTC).replace(tzinfo=None))
        target = self.table("load") / f"{load.load_id}.parquet"
        write_whole(target, pa.Table.from_pylist([asdict(load)], schema=MANIFEST_SCHEMA))
        self._add(load)
        return load

    def loads_of(self, source: str, table: str, name: str) -> list[Load]:
        """The loads of one object, oldest first."""
        return self._by_object.get((source, table, name), [])

    def newest(self, table: str) -> pa.Table:
        """The rows of a reference table that count: those of its newest load."""
        loads = [load for load in self.loads if load.table_name == table and load.status == "loaded"]
        if not loads or not loads[-1].row_count:
            return SCHEMAS[table].empty_table()
        return pq.read_table(self.table(table), filters=[("_load_id", "=", loads[-1].load_id)], schema=SCHEMAS[table])

    def _add(self, load: Load) -> None:
        self.loads.append(load)
        self._by_object.setdefault((load.source, load.table_name, load.object), []).append(load)

    def _remember(self, plant: Plant) -> None:
        file = self.paths.data / "plant.json"
        mine = {"name": plant.name, "timezone": plant.plant.timezone}
        if not file.exists():
            self.paths.data.mkdir(parents=True, exist_ok=True)
            part = file.with_name(file.name + PART)
            part.write_text(json.dumps(mine) + "\n", encoding="utf-8")
            rename(part, file)
            return
        held = json.loads(file.read_text(encoding="utf-8"))
        for key, value in mine.items():
            if held[key] != value:
                raise PlantError(
                    f"{self.paths.data} holds records of a plant with {key} {held[key]!r}, not {value!r}: "
                    "give this one a directory of its own, FIRSTPASS_DATA=<directory> make run"
                )

    def _keep_schema(self, table: str, schema: pa.Schema) -> None:
        file = self.table(table) / SCHEMA_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or not pq.read_schema(file).equals(schema):
            write_whole(file, schema.empty_table())

    def _remove_leftovers(self) -> None:
        """Only what a load wrote is touched: names that end in .part or start with the id of a load."""
        committed = {load.load_id for load in self.loads}
        for folder in [*map(self.table, SCHEMAS), self.paths.failed]:
            for file in folder.iterdir() if folder.is_dir() else ():
                found = LOAD_ID.match(file.name)
                if file.name.endswith(PART) or (found and found[0] not in committed):
                    file.unlink()


def read_manifest(folder: Path) -> list[Load]:
    """The committed loads of a lake, oldest first."""
    files = sorted((folder / "load").glob("*.parquet"))
    rows = [row for file in files for row in pq.read_table(file, schema=MANIFEST_SCHEMA).to_pylist()]
    return sorted({row["load_id"]: Load(**row) for row in rows}.values(), key=lambda load: load.load_id)


def write_whole(target: Path, table: pa.Table) -> None:
    """Writes a small file such that it is there with all its content, or not at all."""
    part = target.with_name(target.name + PART)
    pq.write_table(table, part, compression="zstd")
    rename(part, target)


def rename(part: Path, target: Path) -> None:
    """Makes a finished file visible, durably: its content, then its name."""
    flush(part)
    os.replace(part, target)
    flush(target.parent)
