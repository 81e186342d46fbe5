"""Rejects that still wait, and what they have in common. Reads committed loads only, also beside a run."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from ingest.contract import is_latest_only
from ingest.lake import COMPACTED, PART, REJECT_SCHEMA, Load, Result, read_settled, rename

BATCH_ROWS = 20_000
VARIABLE = re.compile(r"""'.*?'(?=[\s;,]|$)|(?<![\w.])-?\d+(\.\d+)?(?![\w.])""", re.DOTALL)
"""Of a reason: a value in quotes, a number."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS = ["source", "table_name", "object", "row", "load_id", "reason", "record"]


@dataclass(frozen=True)
class Selection:
    """Which rejects are meant: of a source, of a table, with a text in their reason (in any case); None: of all."""

    source: str | None = None
    table: str | None = None
    reason: str | None = None

    def has_load(self, load: Load) -> bool:
        return self.source in (None, load.source) and self.table in (None, load.table_name)

    def has_reason(self, reason: str) -> bool:
        return self.reason is None or self.reason.casefold() in reason.casefold()


@dataclass(frozen=True)
class Group:
    """Rejects of a table that a source brought, refused for the same reason but for values in it."""

    source: str
    table: str
    reason: str
    count: int


@dataclass(frozen=True)
class Rejected:
    """A reject: `row` counts from 1 in the object of `load`, `record` is JSON as received."""

    load: Load
    row: int
    record: str
    reason: str


def with_open_rejects(loads: list[Load]) -> list[Load]:
    """The loads whose rejects still wait: taken over by no replay and, of reference data, of the newest load.

    Models say the same in `stg_load`.
    """
    replayed = {load.replays for load in loads}
    newest = {load.table_name: load for load in loads if load.status == "loaded"}
    return [
        load
        for load in loads
        if load.reject_count
        and load.load_id not in replayed
        and (not is_latest_only(load.table_name) or newest[load.table_name] is load)
    ]


def read_rejects(lake: Path, loads: list[Load], take: Callable[[Iterator[pa.RecordBatch]], Result]) -> Result:
    """What `take` makes of the rejects of `loads`, a batch at a time. It is called anew if a compaction disturbs it.

    `lake` is the folder of the raw tables.
    """
    ids = {load.load_id for load in loads}
    wanted = ds.field("load_id").isin(pa.array(sorted(ids), pa.string()))

    def read(files: list[Path]) -> Result:
        held = [file for file in files if file.stem in ids or file.name.startswith(COMPACTED)]
        found = ds.dataset(held, schema=REJECT_SCHEMA).to_batches(filter=wanted, batch_size=BATCH_ROWS)
        return take(batch for batch in (found if held else ()) if len(batch))

    return read_settled(lake / "reject", read)


def grouped(lake: Path, loads: list[Load], selection: Selection) -> list[Group]:
    """The largest group first."""
    by_id = {load.load_id: load for load in loads if selection.has_load(load)}

    def count(batches: Iterator[pa.RecordBatch]) -> Counter:
        counts: Counter = Counter()
        for batch in batches:
            table = pa.table(batch).group_by(["load_id", "reason"]).aggregate([([], "count_all")])
            for load_id, reason, rows in zip(*(column.to_pylist() for column in table.columns), strict=True):
                if selection.has_reason(reason):
                    counts[by_id[load_id].source, by_id[load_id].table_name, reason] += rows
        return counts

    return _grouped(read_rejects(lake, list(by_id.values()), count))


def examples(lake: Path, loads: list[Load], selection: Selection, limit: int) -> list[Rejected]:
    """At most `limit`, those of the newest load first."""
    found: list[Rejected] = []
    for load in filter(selection.has_load, reversed(loads)):
        take = partial(_first_selected, loads=[load], selection=selection, limit=limit - len(found))
        found += read_rejects(lake, [load], take)
        if len(found) >= limit:
            break
    return found


def _first_selected(
    batches: Iterator[pa.RecordBatch], loads: list[Load], selection: Selection, limit: int
) -> list[Rejected]:
    return list(islice(_selected(batches, loads, selection), limit))


def write_csv(lake: Path, loads: list[Load], selection: Selection, target: Path) -> int:
    """All of them as CSV, in a file that is there whole or not at all; how many."""
    part = target.with_name(target.name + PART)
    loads = list(filter(selection.has_load, loads))

    def write(batches: Iterator[pa.RecordBatch]) -> int:
        file.seek(file.truncate(0))
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        count = 0
        for it in _selected(batches, loads, selection):
            load, count = it.load, count + 1
            texts = [load.source, load.table_name, load.object, it.row, load.load_id, it.reason, it.record]
            writer.writerow(map(_harmless, texts))
        return count

    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            count = read_rejects(lake, loads, write)
        rename(part, target)
    finally:
        part.unlink(missing_ok=True)
    return count


def _selected(batches: Iterator[pa.RecordBatch], loads: list[Load], selection: Selection) -> Iterator[Rejected]:
    by_id = {load.load_id: load for load in loads}
    for batch in batches:
        for it in batch.to_pylist():
            if selection.has_reason(it["reason"]):
                yield Rejected(by_id[it["load_id"]], it["row"], it["record"], it["reason"])


def _harmless(value: object) -> object:
    """Text that a spreadsheet would take for a formula, behind an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _grouped(counts: Counter) -> list[Group]:
    """A reason that stands alone in its group is shown as it is."""
    together: dict[tuple, Counter] = {}
    for (source, table, reason), count in counts.items():
        together.setdefault((source, table, VARIABLE.sub("…", reason)), Counter())[reason] += count
    return sorted(
        (
            Group(source, table, next(iter(reasons)) if len(reasons) == 1 else pattern, reasons.total())
            for (source, table, pattern), reasons in together.items()
        ),
        key=lambda group: (-group.count, group.source, group.table, group.reason),
    )
