"""Rejects once more, after the mapping or the reference data was mended: from the lake, not from where they came.

The replay of a load is a load of its own, which names it: it takes over all of its rejects, each as a record or as a
reject with its reason of now. So a reject is open while no replay has taken over its load, and none is lost or loaded
twice, wherever a replay is killed. A record that is loaded has the `_row`, `_hash` and `_flags` that its first load
would have given it; but single-precision columns that no contract names have a double's digits in a reject's JSON.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, dataclass, field, replace

import numpy as np
import pyarrow as pa

from ingest.arrivals import check
from ingest.compaction import compact
from ingest.contract import CONTRACTS, is_latest_only
from ingest.conversion import Conversion, Converted
from ingest.formats.delimited import fields_of
from ingest.formats.json_text import is_text
from ingest.known import without_known_records
from ingest.lake import SCHEMAS, Load
from ingest.load_file import LoadFile
from ingest.loader import EventRange, Loader, reject_table
from ingest.rejects import Selection, read_rejects, with_open_rejects
from ingest.source import Batch, Reject, Unreadable
from ingest.sources import files
from ingest.sources.content import format_of
from pipeline.paths import Paths
from pipeline.plant import FilesSource, Plant, PlantError, RecordSource

INT64 = range(-(2**63), 2**63)


@dataclass
class Replay:
    """What came of the selected rejects of a load; `load` is None where nothing changed."""

    of: Load
    load: Load | None = None
    loaded: int = 0
    known: int = 0
    """Loaded before, when they were read again from their database."""
    refused: int = 0
    filtered: int = 0
    """Left out by `where`, as it is now."""
    left: Counter = field(default_factory=Counter)
    """Those that can't be read under the mapping of today, by why; they stay as they are."""


def replay(plant: Plant, paths: Paths, selection: Selection) -> tuple[list[Load], list[Replay]]:
    """Loads the reference data that is new, then replays what is selected, load by load, the oldest first.

    The caller holds the run lock. Raises PlantError for what plant.yml gets wrong.
    """
    check(plant)
    if selection.source and selection.source not in {source.name for source in plant.sources}:
        names = ", ".join(source.name for source in plant.sources)
        raise PlantError(f"plant.yml: sources: there is no {selection.source!r}; expected one of {names}")
    with closing(Loader(plant, paths)) as loader:
        reference = loader.load_reference()
        waiting = [load for load in with_open_rejects(loader.lake.loads) if selection.has_load(load)]
        # reference data is loaded whole whenever its CSV changes, and so is what is made of it
        waiting = [load for load in waiting if not is_latest_only(load.table_name)]
        replays = [_Replaying(loader, plant, load, selection).done() for load in waiting]
        compact(loader.lake)
    return reference, replays


class _Replaying:
    """Of the selected rejects of one load."""

    def __init__(self, loader: Loader, plant: Plant, of: Load, selection: Selection):
        self.loader, self.lake, self.of, self.selection = loader, loader.lake, of, selection
        self.source = _source(plant, of)
        self.reading = self.source and files.reading_of(plant, self.source)
        self.known_in = _known_in(self.source, self.lake.loads)
        self.began_at = _first(of, self.lake.loads).started_at
        self.conversions: dict[pa.Schema, Conversion] = {}

    def done(self) -> Replay:
        return read_rejects(self.lake.folder, [self.of], self._replayed)

    def _replayed(self, batches: Iterator[pa.RecordBatch]) -> Replay:
        of, result, changed = self.of, Replay(self.of), False
        load = self.lake.next_load(of.source, of.table_name, of.object, of.sha256, of.version)
        events = EventRange(CONTRACTS[of.table_name].timestamps[:1])
        with LoadFile(self.lake, load) as file:
            for batch in batches:
                before = [Reject(it["row"], it["record"], it["reason"]) for it in batch.to_pylist()]
                records, after = self._again(before, result)
                new = without_known_records(self.lake, of.table_name, self.known_in, records)
                result.loaded += len(new)
                result.known += len(records) - len(new)
                changed |= sorted(map(astuple, before)) != sorted(map(astuple, after))
                events.add(new)
                file.write(new, reject_table(after))
            if not changed:
                return result
            file.finish()
            counts = {"row_count": file.row_count, "reject_count": file.reject_count}
            counts |= {"filtered_count": result.filtered, "reading": self.reading.key}
        times = {"min_event_at": events.first, "max_event_at": events.last}
        result.load = self.lake.commit(replace(load, replays=of.load_id, **counts, **times))
        return result

    def _again(self, rejects: list[Reject], result: Replay) -> tuple[pa.Table, list[Reject]]:
        """What becomes a record now, and what stays a reject; a group of columns at a time."""
        left, groups = [], defaultdict(list)
        for reject in rejects:
            try:
                if self.selection.has_reason(reject.reason):
                    fields = self._fields(reject)
                    groups[tuple(fields)].append((reject, fields))
                else:
                    left.append(reject)
            except Unreadable as why:
                left.append(reject)
                result.left[str(why)] += 1
        good = [SCHEMAS[self.of.table_name].empty_table().drop_columns(["_load_id"])]
        for names, group in groups.items():
            try:
                converted = self._converted(names, [fields for _, fields in group], [it.row for it, _ in group])
            except Unreadable as why:
                left += [reject for reject, _ in group]
                result.left[str(why)] += len(group)
                continue
            reasons = dict(zip(*(converted.rejects[name].to_pylist() for name in ("row", "reason")), strict=True))
            left += [replace(reject, reason=reasons[reject.row]) for reject, _ in group if reject.row in reasons]
            result.refused += len(reasons)
            result.filtered += converted.filtered_count
            good.append(converted.records)
        return pa.concat_tables(good, promote_options="permissive"), left

    def _fields(self, reject: Reject) -> dict:
        """The record by its received names. Raises Unreadable."""
        if self.source is None:
            raise Unreadable(f"plant.yml has no source {self.of.source} that loads into {self.of.table_name}")
        if lost := [name for name, it in self.reading.derived.items() if it.cell or it.sheet]:
            raise Unreadable(f"columns.{lost[0]} in plant.yml names a sheet or its cell, which a reject does not hold")
        value = json.loads(reject.record)
        if "\\ud" in reject.record.casefold() and not is_text(json.dumps(value, ensure_ascii=False)):
            raise Unreadable("a text in it is none")
        return value if isinstance(value, dict) else self._named(value)

    def _named(self, fields: object) -> dict:
        """Fields that plant.yml names by position: those of a line of a text file, or the cells of a sheet's row."""
        header, kind = getattr(self.source, "header", None) or [], format_of(self.source, self.of.object)
        if header and kind in ("csv", "tsv") and isinstance(fields, str):
            fields = fields_of(fields, self.source.delimiter or ("\t" if kind == "tsv" else None), len(header))
        elif header and kind == "xlsx" and isinstance(fields, list):  # empty cells at the end of a row are not there
            last = max((at for at, it in enumerate(fields, start=1) if it is not None), default=0)
            fields = fields[:last] + [None] * (len(header) - last)
        else:
            raise Unreadable("its fields have no names; header: in plant.yml can name those of a line or of a row")
        if len(fields) != len(header):
            raise Unreadable(f"{len(fields)} fields instead of {len(header)}")
        return dict(zip(header, fields, strict=True))

    def _converted(self, names: tuple[str, ...], group: list[dict], rows: list[int]) -> Converted:
        records = pa.table([_column([fields[name] for fields in group]) for name in names], names=list(names))
        schema = records.schema
        if schema not in self.conversions:
            of = self.of
            conversion = self.loader.conversion(of.table_name, schema, self.reading, self.began_at, of.object)
            self.conversions[schema] = conversion
        return self.conversions[schema].convert(Batch(records, np.array(rows, np.int64)))


def _source(plant: Plant, load: Load) -> RecordSource | None:
    """The load's source, as it is for the load's table."""
    for source in plant.sources:
        if source.name == load.source and isinstance(source, RecordSource):
            tables = files.by_table(source) if isinstance(source, FilesSource) else [source]
            return next((one for one in tables if one.table == load.table_name), None)
    return None


def _known_in(source: RecordSource | None, loads: list[Load]) -> frozenset[str]:
    """A row that a database gave once more, when it could be read, is loaded."""
    if source is None or source.kind != "sql":
        return frozenset()
    return frozenset(it.load_id for it in loads if (it.source, it.table_name) == (source.name, source.table))


def _first(load: Load, loads: list[Load]) -> Load:
    """The load that read the object: what is in the future is judged by its start."""
    by_id = {it.load_id: it for it in loads}
    while load.replays:
        load = by_id[load.replays]
    return load


def _column(values: list) -> pa.Array:
    """Of the type that it was received in. What JSON does not tell apart, such as dates and text, is read alike."""
    kinds = {type(value) for value in values} - {type(None)}
    fits = kinds != {int} or all(value is None or value in INT64 for value in values)
    if len(kinds) > 1 or not fits:
        values = [None if value is None else _text(value) for value in values]
    return pa.array(values)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
