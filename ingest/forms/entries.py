"""Filled forms, read: each row below a key row (`ingest.forms.form`) that holds anything is an entry."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path

import numpy as np
import pyarrow as pa
from openpyxl.utils import get_column_letter, range_boundaries

from ingest.contract import CONTRACTS
from ingest.formats.workbook import text_of
from ingest.forms.cells import Cells, opened
from ingest.forms.form import FORMS, KEY, RESULT, TABLES, label_of
from ingest.source import Batch, Reject, Unreadable

LAST_KEY_ROW = 100
"""Below it no key row is looked for."""
HEADS = 2
"""Rows above the key row in which the heading of an added column is looked for."""


@dataclass
class Entry:
    """A row of a form, by the number of the column. `faults`: why a cell is wrong. `computed`: values of formulas."""

    row: int
    texts: dict[int, str] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    computed: dict[int, object] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        return " ".join(dict.fromkeys(fault for _, fault in sorted(self.faults.items())))


@dataclass
class Sheet:
    """A sheet with a key row. `columns`: number of a column to its name, of the contract or as it is headed."""

    title: str
    part: str
    """The file within the workbook."""
    table: str
    key_row: int
    columns: dict[int, str]
    result: int | None = None
    stamp: str | None = None
    entries: list[Entry] = field(default_factory=list)

    def label(self, at: int) -> str:
        """Of a column, as people say it."""
        name = self.columns.get(at, f"Column {get_column_letter(at)}")
        return label_of(name) if name in CONTRACTS[self.table].columns else name


def batches(sheets: list[Sheet]) -> Iterator[Batch]:
    """Rows count from 1 over the entries of all sheets."""
    positions = count(1)
    for sheet in sheets:
        good, rows, rejects = [], [], []
        for entry, position in zip(sheet.entries, positions, strict=False):
            if entry.faults:
                rejects.append(_reject(position, sheet, entry))
            else:
                good.append(entry.texts)
                rows.append(position)
        columns = {name: pa.array([it.get(at) for it in good], pa.string()) for at, name in sheet.columns.items()}
        yield Batch(pa.table(columns), np.array(rows, np.int64), rejects)


def table_of(file: Path) -> str:
    """The table that a form says it is for; of one that can't be read, what its name says, else the first."""
    try:
        with opened(file) as book:
            return next(found.table for worksheet in book.worksheets if (found := _sheet(worksheet, entries=False)))
    except (Unreadable, StopIteration):
        named = (table for form, table in FORMS.items() if file.name.lower().startswith(form))
        return next(named, TABLES[0])


def read_form(file: Path) -> list[Sheet]:
    """The sheets of a workbook that are forms, at least one, all of one table. Raises Unreadable."""
    with opened(file) as book:
        sheets = [sheet for worksheet in book.worksheets if (sheet := _sheet(worksheet))]
    if not sheets:
        raise Unreadable(
            "no form is in it: the hidden row with the names of the columns is gone, or never was there; "
            "copy the entries into a new form (make template)"
        )
    if others := {sheet.table for sheet in sheets} - {sheets[0].table}:
        raise Unreadable(f"its sheets are forms of {sheets[0].table} and {min(others)}; save each as a file of its own")
    for sheet in sheets:
        names = list(sheet.columns.values())
        if twice := [name for name in names if names.count(name) > 1]:
            raise Unreadable(f"the sheet {sheet.title!r} has the column {label_of(twice[0])!r} twice; delete one")
        if gone := [name for name in CONTRACTS[sheet.table].required if name not in names]:
            raise Unreadable(
                f"the sheet {sheet.title!r} has no column {label_of(gone[0])!r} any more; "
                "copy the entries into a new form (make template)"
            )
    return sheets


def _sheet(worksheet, *, entries: bool = True) -> Sheet | None:
    """None where it has no key row; without its entries if they are not asked for."""
    cells, sheet, above = Cells(worksheet), None, []
    for row, found in cells.rows():
        if sheet is None and row > LAST_KEY_ROW:
            return None
        if sheet is None:
            sheet = _headed(worksheet, row, found, above)
            above = [found, *above[: HEADS - 1]]
            if sheet and not entries:
                return sheet
        elif entry := _entry(sheet, row, found):
            sheet.entries.append(entry)
    if sheet and cells.merged_cells:
        _refuse_merged(sheet, [range_boundaries(it.ref) for it in cells.merged_cells.mergeCell])
    return sheet


def _headed(worksheet, row: int, cells: list[dict], above: list[list[dict]]) -> Sheet | None:
    """The sheet that a row makes if it is a key row. `above`: the rows over it, the nearest first."""
    keys = {it["column"]: key for it in cells if (key := KEY.fullmatch(str(it["value"]))) and key[1] in TABLES}
    if not keys:
        return None
    title = worksheet.title
    sheet = Sheet(title, worksheet._worksheet_path, next(iter(keys.values()))[1], row, {})
    for at, key in keys.items():
        if key[1] != sheet.table:
            raise Unreadable(f"the sheet {title!r} mixes forms of {sheet.table} and {key[1]}; take a sheet for each")
        if key[2] == RESULT:
            sheet.result, sheet.stamp = at, key[3]
        else:
            sheet.columns[at] = key[2]
    for cell in chain.from_iterable(reversed(above)):
        at, heading = cell["column"], text_of(cell["value"])
        if heading and at not in sheet.columns and at != sheet.result:
            known = heading in sheet.columns.values()
            sheet.columns[at] = f"{heading} ({get_column_letter(at)})" if known else heading
    return sheet


def _entry(sheet: Sheet, row: int, cells: list[dict]) -> Entry | None:
    entry = Entry(row)
    for cell in cells:
        at, text = cell["column"], text_of(cell["value"])
        if at == sheet.result:
            continue
        if text:
            entry.texts[at] = text
        if cell.get("formula") == "saved":
            entry.computed[at] = cell["value"]
        if cell.get("formula") == "missing":
            entry.faults[at] = f"{sheet.label(at)}: The value of this formula was not saved. Type the value itself."
        elif text and cell["data_type"] == "e":
            entry.faults[at] = f"{sheet.label(at)}: The cell holds the error {text}. Type the value itself."
        elif text and at not in sheet.columns:
            entry.faults[at] = f"{sheet.label(at)} has no heading. Give it one, or clear the cell."
    return entry if entry.texts or entry.faults else None


def _refuse_merged(sheet: Sheet, ranges: list[tuple[int, int, int, int]]) -> None:
    """What stands in one of several merged cells is not known to be meant for all of them."""
    rows = [entry.row for entry in sheet.entries]
    for left, top, right, bottom in ranges:
        merged = {
            at: f"{sheet.label(at)}: This cell is merged with others. Unmerge them and fill in each."
            for at in sheet.columns
            if left <= at <= right
        }
        for entry in sheet.entries[bisect_left(rows, top) : bisect_right(rows, bottom)]:
            entry.faults |= merged


def _reject(position: int, sheet: Sheet, entry: Entry) -> Reject:
    names = {at: sheet.columns.get(at, get_column_letter(at)) for at in sorted(entry.texts | entry.faults)}
    record = {name: entry.texts.get(at) for at, name in names.items()}
    return Reject(position, json.dumps(record, ensure_ascii=False), entry.reason)
