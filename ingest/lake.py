"""The lake: one Parquet file per load and table, committed by the manifest that is renamed last.

A load is visible once `load/<load_id>.parquet` is there. Whatever a killed load left behind lacks it, and is removed
when the lake is opened for loading. Only one process may do that at a time: the caller holds the run lock.
"""

import json
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

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
TRIES = 5
Result = TypeVar("Result")

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
        ("filtered_count", pa.int64()),
        ("reading", pa.string()),
        ("replays", pa.string()),
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
    `replays` is the load whose rejects this one took over: it holds each of them, as a record or as a reject again.
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
    filtered_count: int = 0
    """Records that `where` of plant.yml left out."""
    reading: str | None = None
    """Key of how plant.yml said that it was to be read (`ingest.source.Reading`)."""
    replays: str | None = None


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
        """The loads that read one object, oldest first. A replay reads none."""
        return self._by_object.get((source, table, name), [])

    def newest(self, table: str) -> pa.Table:
        return newest_rows(self.folder, self.loads, table)

    def _add(self, load: Load) -> None:
        self.loads.append(load)
        if not load.replays:
            self._by_object.setdefault((load.source, load.table_name, load.object), []).append(load)

    def _remember(self, plant: Plant) -> None:
        check_owner(self.paths, plant)
        file = _owner_file(self.paths)
        if not file.exists():
            self.paths.data.mkdir(parents=True, exist_ok=True)
            write_text_whole(file, json.dumps(_owner(plant)) + "\n")

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


def check_owner(paths: Paths, plant: Plant) -> None:
    """Raises PlantError when the data directory holds another plant's records."""
    file = _owner_file(paths)
    held = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for key, value in _owner(plant).items():
        if held and held[key] != value:
            raise PlantError(
                f"{paths.data} holds records of a plant with {key} {held[key]!r}, not {value!r}: "
                "give this one a directory of its own, FIRSTPASS_DATA=<directory> make run"
            )


def _owner_file(paths: Paths) -> Path:
    return paths.data / "plant.json"


def _owner(plant: Plant) -> dict[str, str]:
    return {"name": plant.name, "timezone": plant.plant.timezone}


def newest_rows(folder: Path, loads: list[Load], table: str) -> pa.Table:
    """The rows of a reference table of the lake's `folder` that count: those of its newest load."""
    loads = [load for load in loads if load.table_name == table and load.status == "loaded"]
    if not loads or not loads[-1].row_count:
        return SCHEMAS[table].empty_table()
    return pq.read_table(folder / table, filters=[("_load_id", "=", loads[-1].load_id)], schema=SCHEMAS[table])


def read_manifest(folder: Path) -> list[Load]:
    """The committed loads of a lake, oldest first; also while another process loads."""

    def read(files: list[Path]) -> dict[str, Load]:
        rows = [row for file in files for row in pq.read_table(file, schema=MANIFEST_SCHEMA).to_pylist()]
        rows = [row | {"filtered_count": row["filtered_count"] or 0} for row in rows]  # older manifests lack it
        return {row["load_id"]: Load(**row) for row in rows}

    return sorted(read_settled(folder / "load", read).values(), key=lambda load: load.load_id)


def read_settled(folder: Path, read: Callable[[list[Path]], Result]) -> Result:
    """What `read` makes of the files that hold each row of a table once; anew if a compaction takes some away."""
    for _ in range(TRIES):
        with suppress(FileNotFoundError):
            files = {file.name: file for file in sorted(folder.glob("*.parquet"))}
            for name in [name for file in files.values() for name in replaced_by(file)]:
                files.pop(name, None)
            return read(list(files.values()))
    raise BlockingIOError(f"{folder} changes faster than it can be read: try again when the run is over")


def replaced_by(file: Path) -> list[str]:
    """Names of the files whose rows a compacted file has taken over."""
    return json.loads(pq.read_metadata(file).metadata[REPLACES]) if file.name.startswith(COMPACTED) else []


def write_text_whole(target: Path, text: str) -> None:
    part = target.with_name(target.name + PART)
    part.write_text(text, encoding="utf-8")
    rename(part, target)


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
