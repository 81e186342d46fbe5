"""XLSX workbooks: cells become their plain text; a row of the sheet is the header, or names are given by position."""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from ingest.formats.header import check_names
from ingest.formats.merged_cells import MergedCells
from ingest.source import Batch, Reject, Unreadable

BATCH_RECORDS = 50_000


@dataclass(frozen=True)
class Layout:
    """How sheets are laid out, as plant.yml says it."""

    sheet: str | None = None
    """A glob over titles, which can't have its special characters; None is the first sheet."""
    header: list[str] | None = None
    """Names of the columns by position, where no row has them."""
    skip_rows: int = 0
    """Rows above the header or the first record, as the sheet numbers them."""
    fill_merged: bool = False
    cells: list[str] = field(default_factory=list)
    """To be read besides the records."""


def read(file: Path, *, layout: Layout) -> Iterator[Batch]:
    """Rows without any value are not records. A record with an error such as #N/A in a cell is a reject.

    Rows count on from sheet to sheet.
    """
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise Unreadable(f"not a whole XLSX workbook: {error}") from None
    try:
        count = 0
        for sheet in _sheets(book, layout.sheet):
            for batch in _sheet_batches(sheet, layout, count):
                yield batch
                count += len(batch.rows) + len(batch.rejects)
    except (zipfile.BadZipFile, SyntaxError) as error:
        raise Unreadable(f"not a whole XLSX workbook: {error}") from None
    finally:
        book.close()


def _sheets(book: openpyxl.Workbook, wanted: str | None) -> list:
    if wanted is None:
        return book.worksheets[:1]
    found = [sheet for sheet in book.worksheets if fnmatchcase(sheet.title, wanted)]
    if not found:
        raise Unreadable(f"it has no sheet {wanted!r}; it has {', '.join(book.sheetnames)} (sheet: in plant.yml)")
    return found


def _sheet_batches(sheet, layout: Layout, count: int) -> Iterator[Batch]:
    """`count`: records of the sheets before."""
    sheet.reset_dimensions()
    cells = {name: text_of(sheet[name].value) for name in layout.cells}
    header, rows = layout.header, _rows(sheet, layout)
    if header is None:
        header = _header([text_of(cell.value) or "" for cell in next(rows, [])])
    gathered = _Gathered(header, sheet.title, cells, count)
    for row in rows:
        gathered.add(row)
        if len(gathered.records) + len(gathered.rejects) >= BATCH_RECORDS:
            yield gathered.taken()
    yield gathered.taken()


def _rows(sheet, layout: Layout) -> Iterator[list]:
    """Of cells; those without any value of their own are left out."""
    merged = MergedCells(sheet) if layout.fill_merged else None
    for number, row in enumerate(sheet.iter_rows(), start=1):
        filled = merged.filled(number, row) if merged else row
        if number > layout.skip_rows and any(cell.value is not None for cell in row):
            yield filled


def _header(names: list[str]) -> list[str]:
    while names and not names[-1]:
        names.pop()
    if not names:
        raise Unreadable("the sheet is empty")
    check_names(names)
    return names


class _Gathered:
    """Rows until they are a batch."""

    def __init__(self, header: list[str], title: str, cells: dict[str, str | None], count: int):
        self.header = header
        self.title = title
        self.cells = cells
        self.count = count
        self._clear()

    def _clear(self) -> None:
        self.records: list[list] = []
        self.positions: list[int] = []
        self.rejects: list[Reject] = []

    def add(self, row: list) -> None:
        self.count += 1
        width = len(self.header)
        texts = [text_of(cell.value) for cell in row]
        errors = [cell.value for cell in row if cell.data_type == "e"]
        if errors or any(text is not None for text in texts[width:]):
            reason = f"a cell holds the error {errors[0]}" if errors else f"a value beyond the {width} columns"
            self.rejects.append(Reject(self.count, json.dumps(texts, ensure_ascii=False), reason))
        else:
            self.records.append(texts[:width] + [None] * (width - len(texts)))
            self.positions.append(self.count)

    def taken(self) -> Batch:
        columns = {
            name: pa.array([record[at] for record in self.records], pa.string()) for at, name in enumerate(self.header)
        }
        rows = np.array(self.positions, np.int64)
        batch = Batch(pa.table(columns), rows, self.rejects, sheet=self.title, cells=self.cells)
        self._clear()
        return batch


def text_of(value: object) -> str | None:
    """Plain text of a cell: whole numbers without `.0`, dates and times as ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return None if value is None else str(value).strip()
