"""What a returned copy shows: red cells with a note, what became of each row, and a summary on top."""

from math import ceil

from openpyxl.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from ingest.contract import CONTRACTS
from ingest.forms.entries import Entry, Sheet
from ingest.forms.form import RESULT, key_of
from ingest.forms.look import FONT, GRID, LINE_HEIGHT, SOFT, WRAPPED, head, hint, put, style_entry

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


def mark(worksheet: Worksheet, sheet: Sheet, summary: str, stamp: str) -> None:
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
        shape.height = max(shape.height or 0, LINE_HEIGHT * ceil(len(said.value) / (1.1 * WIDTH)))
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
    for (row, _), cell in worksheet._cells.items():  # iter_rows would make those that are not there
        if row > sheet.key_row and cell.has_style and cell.fill.fgColor.rgb == RED.fgColor.rgb:
            cell.fill = PatternFill()
        if row > sheet.key_row and cell.comment and cell.comment.text.startswith(MARK):
            _, _, before = cell.comment.text.partition(BEFORE)
            cell.comment = Comment(before, cell.comment.author) if before else None


def _cell(worksheet: Worksheet, row: int, column: int) -> Cell:
    """The cell, or of merged ones the one that is seen."""
    cell = worksheet.cell(row, column)
    if isinstance(cell, MergedCell):
        merged = next(it for it in worksheet.merged_cells.ranges if cell.coordinate in it)
        return worksheet.cell(merged.min_row, merged.min_col)
    return cell
