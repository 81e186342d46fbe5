"""What leaves the lake when the plant's retention is over, and what is noted of it.

raw.closing says which weeks no longer change, raw.dropping which records are gone. Loads stay in the manifest for ever:
an object whose records were dropped is still known, and not loaded again.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.contract import CONTRACTS, RECORD_TABLES
from ingest.lake import CLOSING_SCHEMA, DROPPING_SCHEMA, PART, SCHEMA_FILE, rename, write_whole
from ingest.load_file import encodings
from pipeline.plant import Plant, PlantError

KEPT = ("rework", "disposition")
"""Small, and judged anew against every module each night: they stay for ever."""
DROPPABLE = [table for table in RECORD_TABLES if table not in KEPT and CONTRACTS[table].timestamps]
LEAST_SHARE = 0.25
"""A file is written again without its old records when they are at least this part of it, so that a large one isn't
rewritten every week."""
BATCH_ROWS = 262_144


@dataclass(frozen=True)
class Closing:
    """Load weeks that start before `closed_before` no longer change. They held the loads up to `last_load_id`."""

    closed_before: date
    last_load_id: str
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Dropping:
    """Records of a table before `dropped_before` (plant wall time) are gone; `dropped_at` is None while it goes on."""

    table_name: str
    dropped_before: datetime
    dropped_at: datetime | None = None
    row_count: int = 0


def check(plant: Plant) -> None:
    """Raises PlantError for what plant.yml gets wrong about retention."""
    detail, raw = plant.retention.detail, plant.retention.raw
    if unknown := sorted(set(raw) - set(DROPPABLE)):
        raise PlantError(
            f"plant.yml: retention.raw.{unknown[0]}: no table whose records can go; "
            f"expected one of {', '.join(DROPPABLE)}"
        )
    weeks = raw.get("test_record")
    if weeks and not detail:
        raise PlantError("plant.yml: retention.detail: missing; test_record is needed while its weeks can change")
    if weeks and weeks < detail:
        raise PlantError(
            f"plant.yml: retention.raw.test_record: {weeks} weeks: expected at least those of detail, {detail} weeks"
        )


def closings(lake: Path) -> list[Closing]:
    """Oldest first. `lake` is the folder of the raw tables."""
    return sorted(_rows(lake / "closing", Closing), key=lambda closing: closing.closed_before)


def close(lake: Path, closed_before: date, last_load_id: str) -> Closing:
    """Notes that weeks are closed; from the next build on they are."""
    closing = Closing(closed_before, last_load_id, _now())
    write_whole(lake / "closing" / f"{closed_before}.parquet", pa.Table.from_pylist([asdict(closing)], CLOSING_SCHEMA))
    return closing


def dropped_before(lake: Path, table: str) -> datetime | None:
    """Up to when the table's old records were dropped, all of them."""
    done = [it for it in _rows(lake / "dropping", Dropping) if it.table_name == table and it.dropped_at]
    return max((it.dropped_before for it in done), default=None)


def drop(lake: Path, table: str, before: datetime, counted: list[tuple[datetime, str]]) -> Dropping:
    """Takes records that lie before `before` (plant wall time) out of a table's files.

    `counted`: pairs of a moment and a load, both rising. A record stays if its load is newer than that of the first
    moment after it: it came when its week was closed already, and no mart has it. Empty: nothing stays.
    Each file is replaced, or removed, in one step; killed in between, the next call does the rest.
    """
    target = lake / "dropping" / f"{table}-{before:%Y%m%dT%H%M}.parquet"
    _note(target, Dropping(table, before))
    time = f"{CONTRACTS[table].timestamps[0]}_local"
    rows = sum(_drop_of_file(file, _Due(time, before, counted)) for file in _files(lake / table))
    return _note(target, Dropping(table, before, _now(), rows))


class _Due:
    """Tells which records of a batch have to go."""

    def __init__(self, time: str, before: datetime, counted: list[tuple[datetime, str]]):
        self.time, self.before = time, before
        self.columns = [time, "_load_id"]
        self.moments = np.array([moment for moment, _ in counted], "datetime64[us]")
        self.loads = pa.array([load for _, load in counted] + [""], pa.string())

    def any_in(self, metadata: pq.FileMetaData, schema: pa.Schema) -> bool:
        """By the file's statistics, without reading a record."""
        place = schema.get_field_index(self.time)
        groups = [metadata.row_group(number).column(place).statistics for number in range(metadata.num_row_groups)]
        return any(group is None or not group.has_min_max or group.min < self.before for group in groups)

    def mask(self, batch: pa.RecordBatch) -> pa.Array:
        due = pc.fill_null(pc.less(batch[self.time], pa.scalar(self.before, pa.timestamp("us"))), False)
        if len(self.moments):
            places = np.searchsorted(self.moments, batch[self.time].to_numpy(zero_copy_only=False), side="right")
            due = pc.and_(due, pc.less_equal(batch["_load_id"], self.loads.take(pa.array(places))))
        return due


def _drop_of_file(file: Path, due: _Due) -> int:
    """Records that went."""
    with pq.ParquetFile(file) as parquet:
        total, schema = parquet.metadata.num_rows, parquet.schema_arrow
        if not due.any_in(parquet.metadata, schema):
            return 0
        batches = parquet.iter_batches(BATCH_ROWS, columns=due.columns)
        count = sum(pc.sum(due.mask(batch), min_count=0).as_py() for batch in batches)
        if count == total:
            file.unlink()
        elif count >= LEAST_SHARE * total:
            part = file.with_name(file.name + PART)
            with pq.ParquetWriter(part, schema, **encodings(schema)) as writer:
                for batch in parquet.iter_batches(BATCH_ROWS):
                    writer.write_batch(batch.filter(pc.invert(due.mask(batch))))
            rename(part, file)
        else:
            return 0
    return count


def _note(target: Path, dropping: Dropping) -> Dropping:
    write_whole(target, pa.Table.from_pylist([asdict(dropping)], DROPPING_SCHEMA))
    return dropping


def _rows(folder: Path, kind: type) -> Iterator:
    for file in _files(folder):
        yield from (kind(**row) for row in pq.read_table(file).to_pylist())


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.parquet") if file.name != SCHEMA_FILE)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
