"""XLSX workbooks: the first row of a sheet is the header, cells become their plain text."""

import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from ingest.source import Batch, Reject, Unreadable

BATCH_RECORDS = 50_000


def read(file: Path, *, sheet: str | None) -> Iterator[Batch]:
    """Rows without any value are not records. A record with an error such as #N/A in a cell is a reject."""
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise Unreadable(f"not a whole XLSX workbook: {error}") from None
    try:
        yield from _sheet_batches(book, sheet)
    except (zipfile.BadZipFile, SyntaxError) as error:
        raise Unreadable(f"not a whole XLSX workbook: {error}") from None
    finally:
        book.close()


def _sheet_batches(book: openpyxl.Workbook, sheet: str | None) -> Iterator[Batch]:
    if sheet is not None and sheet not in book.sheetnames:
        raise Unreadable(f"it has no sheet {sheet!r}; it has {', '.join(book.sheetnames)} (sheet: in plant.yml)")
    found = book[sheet] if sheet is not None else book.worksheets[0]
    found.reset_dimensions()
    rows = (row for row in found.iter_rows() if any(cell.value is not None for cell in row))
    header = _header(next(rows, ()))
    records, positions, rejects = [], [], []
    for count, row in enumerate(rows, start=1):
        texts = [text_of(cell.value) for cell in row]
        errors = [cell.value for cell in row if cell.data_type == "e"]
        if errors or any(text is not None for text in texts[len(header) :]):
            reason = f"a cell holds the error {errors[0]}" if errors else f"a value beyond the {len(header)} columns"
            rejects.append(Reject(count, json.dumps(texts, ensure_ascii=False), reason))
        else:
            records.append(texts[: len(header)] + [None] * (len(header) - len(texts)))
            positions.append(count)
        if len(records) + len(rejects) >= BATCH_RECORDS:
            yield _batch(header, records, positions, rejects)
            records, positions, rejects = [], [], []
    yield _batch(header, records, positions, rejects)


def _header(row: tuple) -> list[str]:
    names = [text_of(cell.value) or "" for cell in row]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise Unreadable("the sheet is empty")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Unreadable(f"the header has the column {twice[0]!r} twice")
    return names


def _batch(header: list[str], records: list, positions: list[int], rejects: list[Reject]) -> Batch:
    columns = {name: pa.array([record[at] for record in records], pa.string()) for at, name in enumerate(header)}
    return Batch(pa.table(columns), np.array(positions, np.int64), rejects)


def text_of(value: object) -> str | None:
    """Plain text of a cell: whole numbers without `.0`, dates and times as ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return None if value is None else str(value).strip()
