"""Loads objects into the lake: each whole or not at all, and none twice."""

import re
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingest import retention
from ingest.compaction import compact, finish
from ingest.contract import CONTRACTS, REFERENCE
from ingest.conversion import Conversion, Converted
from ingest.known import without_known
from ingest.lake import Lake, Load
from ingest.load_file import LoadFile
from ingest.source import Batch, Object, StillWritten, Unreachable, Unreadable
from ingest.sources import files, reference, simulator
from ingest.spellings import TABLE as SPELLINGS
from ingest.spellings import Spellings
from pipeline.paths import Paths
from pipeline.plant import FilesSource, Plant, RecordSource, Source

Progress = Callable[[Object, int], None]
"""Called with an object and the records of it that were read so far."""

LANES = 2
"""Batches converted at a time."""

CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def load_all(plant: Plant, paths: Paths, progress: Progress = lambda thing, rows: None) -> list[Load]:
    """Loads everything that is new to a plant, and returns what came of each new object: loaded, failed or deferred.

    Reference data first, then the sources in the order of plant.yml; one that can't be reached fails alone. The caller
    holds the run lock. Raises PlantError for what plant.yml gets wrong, before anything is loaded.
    """
    retention.check(plant)
    for source in plant.sources:
        if isinstance(source, FilesSource):
            files.check(source)
        elif isinstance(source, RecordSource):
            files.check_records(source)
    with closing(Loader(plant, paths, progress)) as loader:
        loads = list(loader.load_each(reference.find(plant, paths, list(loader.lake.loads))))
        for source in plant.sources:
            try:
                for load in loader.load_each(_objects(plant, source, paths, loader.lake)):
                    loads.append(load)
            except Unreachable as error:
                loads.append(loader.fail(source, error))
        compact(loader.lake)
    return loads


def _objects(plant: Plant, source: Source, paths: Paths, lake: Lake) -> Iterator[Object]:
    """Libraries that take a moment to import are left to the plants that need them."""
    if source.kind == "files":
        return files.find(plant, source, paths)
    if source.kind == "s3":
        from ingest.sources import s3

        return s3.find(plant, source, paths)
    if source.kind == "sql":
        from ingest.sources import database

        return database.find(plant, source, list(lake.loads))
    return simulator.find(plant, source, list(lake.loads))


class Loader:
    """Of one plant into one lake. `close` it after use."""

    def __init__(self, plant: Plant, paths: Paths, progress: Progress = lambda thing, rows: None):
        self.plant = plant
        self.lake = Lake(paths, plant)
        finish(self.lake)
        shutil.rmtree(paths.fetched, ignore_errors=True)
        self.progress = progress
        paths.temp.mkdir(parents=True, exist_ok=True)
        self.connection = duckdb.connect(
            config={"memory_limit": "512MB", "temp_directory": str(paths.temp), "autoinstall_known_extensions": "false"}
        )
        self.lanes = [self.connection.cursor() for _ in range(LANES)]
        for lane in self.lanes:
            lane.execute("set timezone = 'UTC'")
            lane.execute("set enable_progress_bar = false")
        self.spellings = Spellings.of_lake(self.lake.folder, self.lake.loads)

    def close(self) -> None:
        for lane in self.lanes:
            lane.close()
        self.connection.close()
        shutil.rmtree(self.lake.paths.fetched, ignore_errors=True)

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
        if any(load.version == thing.version and load.sha256 for load in before):
            return None
        load = self.lake.next_load(thing.source, thing.table, name, "", thing.version)
        try:
            load = replace(load, sha256=thing.digest())
            if any(other.sha256 == load.sha256 for other in before):
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

    def fail(self, source: RecordSource, error: Unreachable) -> Load:
        """Notes that a source could not be read. It is no load of any object, so that nothing is taken for known."""
        table = source.table or files.by_table(source)[0].table
        load = self.lake.next_load(source.name, table, without_credentials(error.place), "", "")
        return self.lake.commit(replace(load, status="failed", error=without_credentials(str(error))))

    def _load(self, thing: Object, load: Load) -> Load | None:
        if thing.table not in CONTRACTS:
            known = ", ".join(name.removeprefix(REFERENCE) for name in CONTRACTS if name.startswith(REFERENCE))
            raise Unreadable(f"there is no table {thing.table}; the reference CSVs are {known}")
        events = EventRange(CONTRACTS[thing.table].timestamps[:1])
        read = 0
        with LoadFile(self.lake, load) as file:
            for batch, converted in self._converted(thing, load.started_at):
                records, rejects = converted.records, _all_rejects(batch, converted)
                if thing.known_in:
                    records, rejects = without_known(self.lake, thing, records, rejects)
                file.write(records, rejects)
                events.add(records)
                read += len(batch.rows) + len(batch.rejects)
                self.progress(thing, read)
            if not thing.needed and not file.row_count and not file.reject_count:
                return None
            file.finish()
        return replace(
            load,
            row_count=file.row_count,
            reject_count=file.reject_count,
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
                conversions[lane, schema] = Conversion(
                    self.lanes[lane],
                    CONTRACTS[thing.table],
                    schema,
                    thing.reading,
                    plant_zone=self.plant.plant.timezone,
                    spellings=self.spellings,
                    started_at=started_at,
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
    if not batch.rejects:
        return converted.rejects
    unread = {
        "row": pa.array([reject.row for reject in batch.rejects], pa.int64()),
        "record": pa.array([reject.record for reject in batch.rejects], pa.string()),
        "reason": pa.array([reject.reason for reject in batch.rejects], pa.string()),
    }
    return pa.concat_tables([pa.table(unread), converted.rejects])


def without_credentials(text: str) -> str:
    """`text` with the user and password of every URL in it masked."""
    return CREDENTIALS.sub("***", text)
