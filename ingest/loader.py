"""Loads objects into the lake: each whole or not at all, and none twice."""

import re
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingest.attempts import note_attempt
from ingest.compaction import finish
from ingest.contract import CONTRACTS, REFERENCE, is_latest_only
from ingest.conversion import Conversion, Converted
from ingest.known import without_known_records, without_known_rejects
from ingest.lake import REJECT_SCHEMA, Lake, Load
from ingest.load_file import LoadFile
from ingest.plant_sql import sandbox
from ingest.source import Batch, Object, Reading, Reject, StillWritten, Unreachable, Unreadable
from ingest.sources import calendar, files, reference
from ingest.spellings import TABLE as SPELLINGS
from ingest.spellings import Spellings
from pipeline.paths import Paths
from pipeline.plant import Plant, RecordSource

Progress = Callable[[Object, int], None]
"""Called with an object and the records of it that were read so far."""

LANES = 2
"""Batches converted at a time."""

FEWEST_JUDGED, NEARLY_ALL = 20, 0.95
"""An object of so many records fails when so large a share of them looks like records of another table."""

CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")


class Loader:
    """Of one plant into one lake. `close` it after use."""

    def __init__(self, plant: Plant, paths: Paths, progress: Progress = lambda thing, rows: None):
        self.plant = plant
        self.lake = Lake(paths, plant)
        finish(self.lake)
        shutil.rmtree(paths.fetched, ignore_errors=True)
        self.progress = progress
        self.still_failed: list[Load] = []
        """Of objects that were met again, unchanged, and that could not be loaded then."""
        paths.temp.mkdir(parents=True, exist_ok=True)
        self.connection = duckdb.connect(
            config={"memory_limit": "512MB", "temp_directory": str(paths.temp), "autoinstall_known_extensions": "false"}
        )
        self.lanes = [self.connection.cursor() for _ in range(LANES)]
        self.sandbox = sandbox()
        self.sandboxes = [self.sandbox.cursor() for _ in range(LANES)]
        for lane in self.lanes:
            lane.execute("set timezone = 'UTC'")
            lane.execute("set enable_progress_bar = false")
        self.spellings = Spellings.of_lake(self.lake.folder, self.lake.loads)

    def close(self) -> None:
        for connection in [*self.lanes, *self.sandboxes, self.connection, self.sandbox]:
            connection.close()
        shutil.rmtree(self.lake.paths.fetched, ignore_errors=True)

    def load_reference(self) -> list[Load]:
        loads = list(self.load_each(reference.find(self.plant, self.lake.paths, list(self.lake.loads))))
        self.note_attempt(reference.SOURCE, loads)
        return loads

    def load_calendar(self) -> list[Load]:
        """Of the years that the lake covers by now."""
        return list(self.load_each(calendar.find(self.plant, self.lake)))

    def note_attempt(self, source: str, loads: list[Load]) -> None:
        """`loads`: what came of each new object of the source."""
        known = [load for load in self.still_failed if load.source == source]
        note_attempt(self.lake.paths, source, known + loads)

    def load_each(self, things: Iterable[Object]) -> Iterator[Load]:
        return (load for thing in things if (load := self.load(thing)))

    def load(self, thing: Object) -> Load | None:
        """Loads one object, or says why it can't be: None when there is nothing new, else what came of it.

        Raises Unreachable when the place it comes from can't be read.
        """
        name = without_credentials(thing.name)
        before = self.lake.loads_of(thing.source, thing.table, name)
        if thing.latest_only:
            before = before[-1:]
        before = [load for load in before if load.status == "loaded" or load.reading == thing.reading.key]
        if self._is_known(load for load in before if load.version == thing.version and load.sha256):
            return None
        load = self.lake.next_load(thing.source, thing.table, name, "", thing.version)
        load = replace(load, reading=thing.reading.key)
        try:
            load = replace(load, sha256=thing.digest())
            if self._is_known(other for other in before if other.sha256 == load.sha256):
                return None
            load = self._load(thing, load)
        except StillWritten as reason:
            return replace(load, status="deferred", error=str(reason))
        except Unreadable as reason:
            load = replace(load, status="failed", error=without_credentials(str(reason)))
            if before and (before[-1].version, before[-1].error) == (load.version, load.error):
                return before[-1]  # still can't be opened: once in the manifest is enough
            if thing.set_aside:
                thing.set_aside(load.load_id, load.error)
        if load is None:
            return None
        load = self.lake.commit(load)
        if thing.table == SPELLINGS:
            self.spellings = Spellings.of_lake(self.lake.folder, self.lake.loads)
        return load

    def _is_known(self, same: Iterable[Load]) -> bool:
        """Whether an object has loads of the same content; it may still be one that can't be loaded."""
        found = list(same)
        self.still_failed += [load for load in found[-1:] if load.status == "failed"]
        return bool(found)

    def fail(self, source: RecordSource, error: Unreachable) -> Load:
        """Notes that a source could not be read. It is no load of any object, so that nothing is taken for known."""
        table = source.table or files.by_table(source)[0].table
        load = self.lake.next_load(source.name, table, without_credentials(error.place), "", "")
        return self.lake.commit(replace(load, status="failed", error=without_credentials(str(error))))

    def _load(self, thing: Object, load: Load) -> Load | None:
        if thing.table not in CONTRACTS:
            known = ", ".join(name.removeprefix(REFERENCE) for name in CONTRACTS if name.startswith(REFERENCE))
            raise Unreadable(f"there is no table {thing.table}; the reference CSVs are {known}")
        events = EventRange([] if is_latest_only(thing.table) else CONTRACTS[thing.table].timestamps[:1])
        read = filtered = judged = misfits = 0
        wrong: dict[int, list[str]] = {}
        with LoadFile(self.lake, load) as file:
            for batch, converted in self._converted(thing, load.started_at):
                records, rejects = converted.records, _all_rejects(batch, converted)
                if thing.answer:
                    wrong |= _wrong_columns(converted.rejects)
                if thing.known_in:
                    records = without_known_records(self.lake, thing.table, thing.known_in, records)
                    rejects = without_known_rejects(self.lake, thing.known_in, rejects)
                file.write(records, rejects)
                events.add(records)
                read += len(batch.rows) + len(batch.rejects)
                filtered += converted.filtered_count
                judged += len(converted.records) + len(converted.rejects)
                misfits += converted.misfit_count
                self.progress(thing, read)
            if thing.has_header and judged >= FEWEST_JUDGED and misfits >= NEARLY_ALL * judged:
                raise Unreadable(_of_another_table(thing, misfits, judged))
            if not thing.needed and not file.row_count and not file.reject_count:
                return None
            if thing.answer:
                thing.answer(wrong)
            file.finish()
        return replace(
            load,
            row_count=file.row_count,
            reject_count=file.reject_count,
            filtered_count=filtered,
            min_event_at=events.first,
            max_event_at=events.last,
        )

    def _converted(self, thing: Object, started_at: datetime) -> Iterator[tuple[Batch, Converted]]:
        """Each batch with what it was converted to, in order. Two are converted side by side, since DuckDB runs the
        conversion of one on one thread."""
        conversions: dict[tuple[int, pa.Schema], Conversion] = {}

        def convert(lane: int, batch: Batch) -> Converted:
            schema = batch.records.schema.remove_metadata()
            if (lane, schema) not in conversions:
                conversions[lane, schema] = self.conversion(
                    thing.table, schema, thing.reading, started_at, thing.name, lane=lane
                )
            return conversions[lane, schema].convert(batch)

        with ThreadPoolExecutor(len(self.lanes)) as pool:
            under_way: deque[tuple[Batch, Future]] = deque()
            for number, batch in enumerate(_read_ahead(thing.batches())):
                under_way.append((batch, pool.submit(convert, number % len(self.lanes), batch)))
                if len(under_way) == len(self.lanes):
                    first, converted = under_way.popleft()
                    yield first, converted.result()
            for batch, converted in under_way:
                yield batch, converted.result()

    def conversion(
        self, table: str, received: pa.Schema, reading: Reading, started_at: datetime, name: str, *, lane: int = 0
    ) -> Conversion:
        """Raises Unreadable where the received columns of the object are not those of the table."""
        return Conversion(
            self.lanes[lane],
            CONTRACTS[table],
            received,
            reading,
            plant_zone=self.plant.plant.timezone,
            spellings=self.spellings,
            started_at=started_at,
            sandbox=self.sandboxes[lane],
            object_name=name,
        )


class EventRange:
    """First and last event of a load, records flagged as future left out."""

    def __init__(self, columns: list[str]):
        self.columns = columns
        self.first = self.last = None

    def add(self, records: pa.Table) -> None:
        for name in self.columns:
            future = pc.fill_null(pc.match_substring(records["_flags"], f"{name}:future"), False)
            span = pc.min_max(records[name].filter(pc.invert(future))).as_py()
            if span["min"] is not None:
                self.first = min(self.first or span["min"], span["min"])
                self.last = max(self.last or span["max"], span["max"])


def _read_ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches; each is read by a thread of its own while the one before is converted."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _all_rejects(batch: Batch, converted: Converted) -> pa.Table:
    found = converted.rejects.drop_columns(["columns"])
    return pa.concat_tables([reject_table(batch.rejects), found]) if batch.rejects else found


def reject_table(rejects: list[Reject]) -> pa.Table:
    """Rows, records and reasons, as `LoadFile` takes them."""
    return pa.Table.from_pylist([asdict(reject) for reject in rejects], REJECT_SCHEMA.remove(0).remove(0))


def _wrong_columns(rejects: pa.Table) -> dict[int, list[str]]:
    """The columns at fault, by row."""
    return {reject["row"]: reject["columns"].split() for reject in rejects.select(["row", "columns"]).to_pylist()}


def _of_another_table(thing: Object, misfits: int, judged: int) -> str:
    return (
        f"{misfits:,} of {judged:,} records have in their columns what {thing.table} can't have there: the header is "
        "that of another table, or columns: in plant.yml names the wrong ones (header: and skip_rows: name them by "
        "position)"
    )


def without_credentials(text: str) -> str:
    """`text` with the user and password of every URL in it masked."""
    return CREDENTIALS.sub("***", text)
