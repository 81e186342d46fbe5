"""The records of a file's head as columns of text, and what plant.yml must say for the loader to read them so."""

import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from ingest.formats import equipment, json_text, parquet
from ingest.formats.merged_cells import MergedCells, ranges
from ingest.formats.workbook import text_of
from ingest.source import Unreadable
from ingest.sources import archive
from ingest.sources.content import FORMATS
from ingest.suggest.head import MOST_RECORDS, Head
from ingest.suggest.layout import Layout, delimiter_of, layout_of, split
from ingest.suggest.names import is_name
from ingest.suggest.profile import Profile


@dataclass(frozen=True)
class Sample:
    """`keys`: what plant.yml says of the file's form, with a comment where there is something to say of it.

    `columns` is empty for a format of test equipment, which knows its tables. `named`: the file has a header.
    """

    head: Head
    keys: dict[str, tuple[object, str]] = field(default_factory=dict)
    columns: list[Profile] = field(default_factory=list)
    named: bool = True
    notes: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Records that were looked at."""
        return len(self.columns[0].values) if self.columns else 0


def sample_of(head: Head) -> Sample:
    """Raises Unreadable where the head has no records."""
    keys = {}
    if FORMATS.get(head.file.suffix.lower()) != head.kind and head.file.suffix.lower() not in (".tsv", ".tab"):
        keys["format"] = (head.kind, "the file's ending does not say it")
    if head.encoding != "utf-8":
        keys["encoding"] = (head.encoding, _as_read(head.text))
    if head.kind in equipment.FORMATS:
        return Sample(head, keys)
    if head.kind == "csv":
        return _delimited(head, keys)
    if head.kind == "xlsx":
        return _workbook(head, keys)
    if head.kind == "parquet":
        batch = next(parquet.read(head.file))
    else:
        read = json_text.read_lines if head.kind == "ndjson" else json_text.read_document
        with head.file.open("rb") as stream:
            batch = next(read(stream, encoding=head.encoding))
    records = batch.records[:MOST_RECORDS]
    if not len(records):
        raise Unreadable("it has no records")
    columns = [_profile(at, name, _texts(records[name])) for at, name in enumerate(records.column_names)]
    return Sample(head, keys, columns)


def _profile(place: int, name: str, values: list) -> Profile:
    return Profile(place, name, [(value or "").strip() or None for value in values])


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    return [
        value.isoformat(" ")
        if isinstance(value, datetime)
        else json_text.as_text(value)
        if _plain(value)
        else str(value)
        for value in column.to_pylist()
    ]


def _plain(value: object) -> bool:
    return value is None or isinstance(value, str | bool | int | float | list | dict)


def _delimited(head: Head, keys: dict) -> Sample:
    delimiter = delimiter_of(head.text)
    usual = "\t" if head.file.suffix.lower() in (".tsv", ".tab") else ","
    if delimiter != usual:
        keys["delimiter"] = (delimiter, "")
    layout = layout_of(split(head.text, delimiter))
    return _laid_out(head, keys, layout)


def _workbook(head: Head, keys: dict) -> Sample:
    """The sheet with most names of columns, then with most values."""
    try:
        book = openpyxl.load_workbook(head.file, read_only=True, data_only=True)
    except (*archive.BROKEN, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise Unreadable(f"not a whole XLSX workbook: {error}") from None
    found = {}
    try:
        first = book.sheetnames[0]
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            with suppress(Unreadable):
                layout = layout_of(_rows(sheet, merged=False))
                merged = any(bottom > layout.start + 1 for _, _, _, bottom in ranges(sheet))
                found[sheet.title] = (layout_of(_rows(sheet, merged=True)) if merged else layout), merged
    except (zipfile.BadZipFile, SyntaxError) as error:
        raise Unreadable(f"not a whole XLSX workbook: {error}") from None
    finally:
        book.close()
    if not found:
        raise Unreadable("not a table: no sheet has rows with columns in common")
    title = max(found, key=lambda title: _worth(found[title][0]))
    layout, merged = found[title]
    others = [name for name in found if name != title]
    if title != first or others:
        keys["sheet"] = (title, f"others with records: {', '.join(others)}" if others else "")
    if merged:
        keys["fill_merged"] = (True, "the value of merged cells stands in all of them")
    return _laid_out(head, keys, layout)


def _worth(layout: Layout) -> tuple[int, int]:
    return sum(map(is_name, layout.names or [])), len(layout.records) * len(layout.records[0]) if layout.records else 0


def _rows(sheet, *, merged: bool) -> list[tuple[int, list[str | None]]]:
    """Its first rows with their places from 0, as wide as the widest."""
    cells = MergedCells(sheet) if merged else None
    rows = []
    for at, row in enumerate(sheet.iter_rows(max_row=MOST_RECORDS)):
        filled = cells.filled(at + 1, row) if cells else row
        if any(cell.value is not None for cell in row):
            rows.append((at, [text_of(cell.value) for cell in filled]))
    used = max((at + 1 for _, row in rows for at, cell in enumerate(row) if cell), default=0)
    return [(at, (row + [None] * used)[:used]) for at, row in rows]


def _laid_out(head: Head, keys: dict, layout: Layout) -> Sample:
    if not layout.records:
        raise Unreadable("it has a header and no records")
    names, named, above, notes = layout.names, layout.names is not None, layout.above, []
    if names is None:
        names = [f"c{at}" for at in range(1, len(layout.records[0]) + 1)]
        keys["header"] = (names, "it has no header line" + ("" if layout.sure else ", as it seems"))
    elif "" in names or len(set(names)) < len(names):
        names = _told_apart(names)
        keys["header"] = (names, "instead of its own, in which a name is missing or there twice")
        above = layout.start + 1
    elif not layout.sure:
        notes = ["choose: its first line was taken for a header; if it is a record, name the columns with header:"]
    if above:
        keys["skip_rows"] = (above, f"lines above the {'first record' if 'header' in keys else 'header'}")
    columns = list(zip(*layout.records[:MOST_RECORDS], strict=True))
    return Sample(head, keys, [_profile(at, name, columns[at]) for at, name in enumerate(names)], named, notes)


def _told_apart(names: list[str]) -> list[str]:
    """Each name that is there again gets its place behind it, each that is missing becomes its place."""
    again = [f"{name}_{at}" if name in names[: at - 1] else name for at, name in enumerate(names, start=1)]
    found = [name if names[at - 1] else f"c{at}" for at, name in enumerate(again, start=1)]
    return found if len(set(found)) == len(found) else [f"c{at}" for at in range(1, len(names) + 1)]


def _as_read(text: str) -> str:
    """Some words of the text that are not plain ASCII, so that a person can judge the encoding."""
    words = dict.fromkeys(word for word in re.findall(r"\w+", text[:200_000]) if not word.isascii())
    return f"it is not UTF-8; so read are {', '.join(list(words)[:5])[:60]}"
