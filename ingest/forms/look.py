"""How forms look, and how text gets into their cells."""

from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side

from ingest.contract import Column

FONT = "Calibri"
DARK, INK, SOFT, PALE = "27414F", "1F2A30", "55616D", "F3F6F8"
LINE = Side("thin", color="C9D3D9")
GRID = Border(left=LINE, right=LINE, top=LINE, bottom=LINE)
WRAPPED = Alignment(horizontal="left", wrap_text=True, vertical="top", indent=1)
FORMATS = {"string": "@", "boolean": "@", "bigint": "0", "date": "yyyy-mm-dd", "timestamp": "yyyy-mm-dd hh:mm"}
WIDTHS = {"string": 24, "date": 16, "timestamp": 21, "bigint": 16, "double": 16, "boolean": 10}
ALIGNED = {"bigint": "right", "double": "right"}
LINE_HEIGHT = 16


def put(cell: Cell, value: object) -> Cell:
    """Writes a value; text is text, whatever it begins with."""
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
        cell.data_type = "s"
    else:
        cell.value = value
    return cell


def head(cell: Cell, text: str) -> None:
    put(cell, text)
    cell.font = Font(name=FONT, bold=True, color="FFFFFF", size=11)
    cell.fill = PatternFill("solid", fgColor=DARK)
    cell.alignment = Alignment(horizontal="left", vertical="center", indent=1)
    cell.border = GRID


def hint(cell: Cell, text: str) -> None:
    put(cell, text)
    cell.font = Font(name=FONT, color=SOFT, size=9)
    cell.fill = PatternFill("solid", fgColor=PALE)
    cell.alignment = WRAPPED
    cell.border = GRID


def style_entry(target, column: Column) -> None:
    """Of a cell, or of a whole column below what is drawn."""
    target.font = Font(name=FONT, color=INK, size=11)
    target.border = GRID
    target.number_format = FORMATS.get(column.type, "General")
    target.alignment = Alignment(horizontal=ALIGNED.get(column.type, "left"), vertical="top", indent=1)
    target.protection = Protection(locked=False)
