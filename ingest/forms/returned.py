"""Copies of filled forms for the people who filled them in, with the cells marked that kept a row from being loaded."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import openpyxl
from openpyxl.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from ingest.contract import CONTRACTS
from ingest.forms.empty_rows import trimmed
from ingest.forms.entries import Entry, Sheet
from ingest.forms.form import RESULT, fault_of, key_of
from ingest.forms.template import FONT, GRID, LINE_HEIGHT, SOFT, WRAPPED, head, hint, put, style_entry
from ingest.lake import PART, rename

RED = PatternFill("solid", fgColor="FFF4B6A6")
WRONG = Font(name=FONT, color="8A2B06")
GOOD = Font(name=FONT, color=SOFT)
ALERT = Font(name=FONT, bold=True, color="8A2B06", size=12)
MARK = "Not loaded: "
"""What a note of ours begins with; what somebody had noted in the cell follows below `BEFORE`."""
BEFORE = "\n\nNoted before:\n"
SUMMARY = "Firstpass: "
NO_CELL = 0
"""For a fault of the row, where the column that it is in was deleted."""
WIDTH = 60
BLANK_ROWS = 500
"""Empty rows below the entries that a copy keeps."""


@dataclass(frozen=True)
class Return:
    """Of one form. `folder` holds the returns of a source, `place` is where its own lies in there.

    `unchanged` raises StillWritten when the form is no longer what was loaded.
    """

    form: Path
    folder: Path
    place: Path
    unchanged: Callable[[], None]

    def answer(self, sheets: list[Sheet], wrong: dict[int, list[str]]) -> None:
        """Returns the form if a row of it is wrong, or it has none; else, and if it is a corrected copy, what was
        returned before is removed. `wrong`: columns that break the contract, by row."""
        _explain(sheets, wrong)
        total = sum(len(sheet.entries) for sheet in sheets)
        bad = sum(bool(entry.faults) for sheet in sheets for entry in sheet.entries)
        if bad or not total:
            self._write(sheets, _summary(bad, total))
        else:
            self._remove(self.place)
        for other in self._copies({sheet.stamp for sheet in sheets}) - {self.place}:
            self._remove(other)

    def refuse(self, reason: str) -> None:
        """Says why nothing of the form could be read."""
        self._write_reason(f"Nothing of {self.form.name} was loaded: {reason}")

    def _write(self, sheets: list[Sheet], summary: str) -> None:
        target = self.folder / self.place
        part = target.with_name(target.name + PART)
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            content = trimmed(self.form, {sheet.part: sheet.last_row + BLANK_ROWS for sheet in sheets})
            book = openpyxl.load_workbook(content, keep_vba=target.suffix.lower() == ".xlsm", rich_text=True)
            for sheet in sheets:
                _mark(book[sheet.title], sheet, summary, stamp_of(self.place))
            book.active = book.sheetnames.index(sheets[0].title)
            book.save(part)
        except Exception as error:  # there is no end to what a workbook may hold that openpyxl can't copy
            self.unchanged()
            self._write_reason("\n".join([summary, f"The workbook could not be marked ({error}).", *_listed(sheets)]))
            part.unlink(missing_ok=True)
            return
        self.unchanged()
        rename(part, target)

    def _write_reason(self, text: str) -> None:
        target = self._reason(self.place)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + PART)
        part.write_text(text + "\n", encoding="utf-8")
        rename(part, target)

    def _copies(self, stamps: set[str | None]) -> set[Path]:
        """The returns that a workbook with these stamps is a copy of."""
        if stamps == {None}:
            return set()
        places = (file.relative_to(self.folder) for file in self.folder.rglob("*") if file.is_file())
        return {place for place in places if stamp_of(place) in stamps}

    def _remove(self, place: Path) -> None:
        (self.folder / place).unlink(missing_ok=True)
        self._reason(place).unlink(missing_ok=True)

    def _reason(self, place: Path) -> Path:
        return self.folder / place.with_name(f"{place.name}.reason.txt")


def stamp_of(place: Path) -> str:
    """What tells a copy of the return at `place`, whatever it is called by now."""
    return hashlib.sha256(place.as_posix().encode()).hexdigest()[:12]


def _explain(sheets: list[Sheet], wrong: dict[int, list[str]]) -> None:
    """Adds to the faults of the reader's those of the contract."""
    entries = ((sheet, entry) for sheet in sheets for entry in sheet.entries)
    for position, (sheet, entry) in enumerate(entries, start=1):
        places = {name: at for at, name in sheet.columns.items()}
        texts = {name: entry.texts.get(places.get(name)) for name in wrong.get(position, ())}
        contract = CONTRACTS[sheet.table]
        for name, text in texts.items():
            if text or name in contract.required or not any(map(texts.get, contract.any_of)):
                entry.faults[places.get(name, NO_CELL)] = fault_of(sheet.table, name, text)


def _summary(bad: int, total: int) -> str:
    if not total:
        return f"{SUMMARY}this form has no rows. Fill them in here; nothing on other sheets is loaded."
    return (
        f"{SUMMARY}{bad:,} of {total:,} rows were not loaded. Correct the red cells, save, and put this workbook into "
        "the inbox again. The other rows are loaded, and locked."
    )


def _listed(sheets: list[Sheet]) -> list[str]:
    return [
        f"{sheet.title}, row {entry.row}: {entry.reason}" for sheet in sheets for entry in sheet.entries if entry.faults
    ]


def _mark(worksheet: Worksheet, sheet: Sheet, summary: str, stamp: str) -> None:
    _unmark(worksheet, sheet)
    used = [*sheet.columns, *(at for entry in sheet.entries for at in entry.texts | entry.faults)]
    result = sheet.result or max(used) + 1
    if sheet.key_row > 2:
        head(_cell(worksheet, sheet.key_row - 2, result), "Result")
        hint(_cell(worksheet, sheet.key_row - 1, result), "Written by Firstpass, and not read.")
    put(_cell(worksheet, sheet.key_row, result), key_of(sheet.table, RESULT, stamp))
    _widen(worksheet, result)
    _summarise(worksheet, sheet, summary, result)
    for entry in sheet.entries:
        said = _cell(worksheet, entry.row, result)
        put(said, f"{MARK}{entry.reason}" if entry.faults else "Loaded")
        said.font = WRONG if entry.faults else GOOD
        said.alignment = WRAPPED
        said.border = GRID
        shape = worksheet.row_dimensions[entry.row]
        shape.height = max(shape.height or 0, LINE_HEIGHT * ceil(len(said.value) / WIDTH))
        _shut(worksheet, sheet, entry)
        for at, fault in entry.faults.items():
            if at != NO_CELL:
                _note(_cell(worksheet, entry.row, at), fault)


def _summarise(worksheet: Worksheet, sheet: Sheet, summary: str, result: int) -> None:
    """Into the first row above the heads that is empty, or where the last one was."""
    first = min([*sheet.columns, result])
    for row in range(1, sheet.key_row - 2):
        values = [str(cell.value) for cell in worksheet[row] if cell.value is not None]
        if not values or values[0].startswith(SUMMARY):
            cell = put(_cell(worksheet, row, first), summary)
            cell.font = ALERT
            return


def _shut(worksheet: Worksheet, sheet: Sheet, entry: Entry) -> None:
    """Locks a row that is loaded, and opens one that is not.

    To change what is loaded would add a record, as would a formula whose value changes by itself.
    """
    columns = CONTRACTS[sheet.table].columns
    for at, name in sheet.columns.items():
        cell = _cell(worksheet, entry.row, at)
        if not cell.has_style and name in columns:
            style_entry(cell, columns[name])
        cell.protection = Protection(locked=not entry.faults)
        if at in entry.computed and not entry.faults:
            put(cell, entry.computed[at])


def _widen(worksheet: Worksheet, column: int) -> None:
    """Sets the width of one column; one that shares its definition with those before it gets its own."""
    for shape in list(worksheet.column_dimensions.values()):
        if shape.min and shape.min < column <= (shape.max or 0):
            shape.max = column - 1
    shape = worksheet.column_dimensions[get_column_letter(column)]
    shape.min = shape.max = column
    shape.width = WIDTH


def _note(cell: Cell, fault: str) -> None:
    cell.fill = RED
    before = cell.comment
    text = f"{MARK}{fault}" + (f"{BEFORE}{before.text}" if before else "")
    cell.comment = Comment(text, before.author if before else "Firstpass", width=280, height=40 + len(text) // 2)


def _unmark(worksheet: Worksheet, sheet: Sheet) -> None:
    """Takes away what an earlier return marked."""
    for row in worksheet.iter_rows(min_row=sheet.key_row + 1):
        for cell in row:
            if cell.has_style and cell.fill.fgColor.rgb == RED.fgColor.rgb:
                cell.fill = PatternFill()
            if cell.comment and cell.comment.text.startswith(MARK):
                _, _, before = cell.comment.text.partition(BEFORE)
                cell.comment = Comment(before, cell.comment.author) if before else None


def _cell(worksheet: Worksheet, row: int, column: int) -> Cell:
    """The cell, or of merged ones the one that is seen."""
    cell = worksheet.cell(row, column)
    if isinstance(cell, MergedCell):
        merged = next(it for it in worksheet.merged_cells.ranges if cell.coordinate in it)
        return worksheet.cell(merged.min_row, merged.min_col)
    return cell
