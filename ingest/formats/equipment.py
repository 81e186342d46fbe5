"""Formats of test equipment: a file holds rows of several tables, and each load reads those of one.

All loads of a file read it from end to end and check its structure alike, so that all of them hold it or none does.
"""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from ingest.contract import CONTRACTS
from ingest.formats import atml, openhtf, stdf, wats
from ingest.formats.attempts import Unfit
from ingest.formats.json_text import as_text
from ingest.source import Batch, Reject, Unreadable

BATCH_ROWS = 20_000


@dataclass(frozen=True)
class Format:
    tables: tuple[str, ...]
    rows: Callable[..., Iterator[dict | Unfit]]
    """Given stream, table, encoding and the names of columns that plant.yml maps: rows of the table, in their order."""
    columns: frozenset[str] | None = None
    """Its own columns, where all are known: one that plant.yml names and that is not among them is a mistake."""


FORMATS = {
    "stdf": Format(stdf.TABLES, stdf.rows, stdf.COLUMNS),
    "openhtf": Format(openhtf.TABLES, openhtf.rows),
    "wats": Format(wats.TABLES, wats.rows),
    "atml": Format(atml.TABLES, atml.rows),
}


def read(
    stream: BinaryIO, *, kind: str, table: str, columns: dict[str, str], mentioned: Set[str], encoding: str
) -> Iterator[Batch]:
    """Rows count from 1 within their table. `columns`: contract column to the format's own, as plant.yml maps them;
    `mentioned`: all that it names of these.

    `stream` may be read a second time, from its start.
    """
    file = FORMATS[kind]
    if table not in file.tables:
        raise Unreadable(f"a file of the format {kind} has no {table}; it has {' and '.join(file.tables)}")
    named = frozenset(mentioned)
    if file.columns and (unknown := sorted(named - file.columns)):
        raise Unreadable(f"columns: names {unknown[0]!r}, which is not among its columns: {sorted(file.columns)}")
    pending = _Pending(table, columns, named)
    for row in file.rows(stream, table, encoding, named):
        pending.add(row)
        if len(pending.rows) + len(pending.rejects) >= BATCH_ROWS:
            yield pending.taken()
    yield pending.taken()


class _Pending:
    """Rows until they are a batch."""

    def __init__(self, table: str, columns: dict[str, str], named: Set[str]):
        contract = CONTRACTS[table]
        self.present = {name for name in contract.required if name not in columns} | named
        self.doubles = {name for name, column in contract.columns.items() if column.type == "double"}
        self.replaced = {name for name, other in columns.items() if name != other}
        self.count = 0
        self._clear()

    def _clear(self) -> None:
        self.rows: list[dict] = []
        self.numbers: list[int] = []
        self.rejects: list[Reject] = []

    def add(self, row: dict | Unfit) -> None:
        self.count += 1
        if isinstance(row, Unfit):
            self.rejects.append(Reject(self.count, row.record, row.reason))
        else:
            self.rows.append(row)
            self.numbers.append(self.count)

    def taken(self) -> Batch:
        shapes = dict.fromkeys(map(tuple, self.rows))
        names = dict.fromkeys([*chain.from_iterable(shapes), *sorted(self.present)])
        columns = {
            name: _array([row.get(name) for row in self.rows], number=name in self.doubles)
            for name in names
            if name not in self.replaced
        }
        batch = Batch(pa.table(columns), np.array(self.numbers, np.int64), self.rejects)
        self._clear()
        return batch


def _array(values: list, *, number: bool) -> pa.Array:
    """Times, and numbers where the contract wants them, stay what they are if all of a batch are; the rest is text.

    What goes to `_extra` is always text, so that a record's hash does not depend on the others of its batch.
    """
    kinds = set(map(type, values)) - {type(None)}
    if number and kinds == {float}:
        return pa.array(values, pa.float64())
    if kinds == {datetime}:
        zones = {value.tzinfo for value in values if value}
        return pa.array(values, pa.timestamp("us", *("UTC" for zone in zones if zone)))
    try:
        return pa.array(values if kinds == {str} else [as_text(value) for value in values], pa.string())
    except UnicodeEncodeError as error:
        raise Unreadable(f"a text in it is none: {error.reason} ({error.object[error.start : error.end]!a})") from None
