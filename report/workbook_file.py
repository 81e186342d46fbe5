"""Writing a workbook to a file: rendered rows put into its sheets, and the same bytes for the same figures."""

import datetime as dt
import io
import re
import zipfile
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from report.cells import clean_text, needs_quote

NUMBER_FORMATS = {
    "text": "General",
    "quoted": "General",
    "flag": "General",
    "date": "yyyy-mm-dd",
    "count": "#,##0",
    "share": "0.0%",
    "seconds": "#,##0.0",
    "number": "General",
    "decimal": "#,##0.00",
    "fine": "0.0000",
    "moment": "yyyy-mm-dd hh:mm",
    "value": "[>=1000]#,##0.0;[>=0.01]0.0###;General",  # measured, of any size
}
"""Of each style of a column; registered in every workbook in this order, so that rendered rows fit them all."""

LEFT = ("text", "quoted", "flag", "date", "moment")

FONT = "Calibri"
HEADER_FONT = Font(name=FONT, bold=True, color="FFFFFF")
HEADER_BORDER = Border(right=Side("thin", color="FFFFFF"))
SOFT = Font(name=FONT, color="55616D", size=10)
STRONG = Font(name=FONT, bold=True)
HEADER_FILL = PatternFill("solid", fgColor="27414F")
FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)  # of a zip archive


def new_workbook() -> tuple[Workbook, dict[str, int]]:
    """An empty workbook and the numbers of its column styles."""
    workbook = Workbook()
    sheet = workbook.active
    styles = {}
    for name, number_format in NUMBER_FORMATS.items():
        cell = Cell(sheet, row=1, column=1)
        cell.number_format = number_format
        if name == "quoted":
            cell.quotePrefix = True
        if name in LEFT:
            cell.alignment = Alignment(horizontal="left", indent=1)
        styles[name] = cell.style_id
    workbook.remove(sheet)
    return workbook, styles


def put(
    sheet: Worksheet, row: int, column: int, value: object, *, font: Font | None = None, style: str | None = None
) -> Cell:
    """Sets a cell; text stays text whatever it begins with. `style`: a name of NUMBER_FORMATS."""
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = clean_text(value)
        cell.data_type = "s"
        if needs_quote(value):
            cell.quotePrefix = True
    else:
        cell.value = value
    if font:
        cell.font = font
    if style:
        cell.number_format = NUMBER_FORMATS[style]
        if style == "text":
            cell.alignment = Alignment(horizontal="left", indent=1)
    return cell


def put_headers(sheet: Worksheet, row: int, labels: list[str], styles: list[str]) -> None:
    """Headers stand on the side of their figures: numbers right, all else left."""
    for column, (label, style) in enumerate(zip(labels, styles, strict=True), 1):
        cell = put(sheet, row, column, label, font=HEADER_FONT)
        cell.fill = HEADER_FILL
        cell.border = HEADER_BORDER
        side = (
            {"horizontal": "left", "indent": 1}
            if style in ("text", "flag", "date", "moment")
            else {"horizontal": "right"}
        )
        cell.alignment = Alignment(wrap_text=True, vertical="top", **side)


def lay_out_page(sheet: Worksheet, titles: str | None = None) -> None:
    """Landscape A4, as wide as the sheet, `titles` (rows, `3:3`) on every page."""
    if titles:
        sheet.print_title_rows = titles
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_margins = PageMargins(left=0.4, right=0.4, top=0.5, bottom=0.6, footer=0.3)
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "Page &P of &N"


def save(workbook: Workbook, target: Path, moment: dt.datetime | None, rows: dict[str, tuple[bytes, str]]) -> None:
    """Writes `target`. `rows`: of a sheet's title, the rendered rows that follow its own, and its whole range (A1:F9).

    `moment` is written as time of creation and change: the data's, not the clock's.
    """
    workbook.properties.creator = "Firstpass"
    workbook.properties.created = workbook.properties.modified = moment or dt.datetime(*FIRST_MOMENT)
    stamp = workbook.properties.created.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    laid_out = io.BytesIO()
    workbook.save(laid_out)
    parts = {f"xl/worksheets/sheet{i}.xml": rows.get(s.title) for i, s in enumerate(workbook.worksheets, 1)}
    archive = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=4)
    with zipfile.ZipFile(laid_out) as source, archive as made:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            if parts.get(name):
                content = _with_rows(content, *parts[name])
            entry = zipfile.ZipInfo(name, FIRST_MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            made.writestr(entry, content)


def _with_rows(sheet: bytes, rows: bytes, extent: str) -> bytes:
    sheet = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="' + extent.encode() + b'"', sheet, count=1)
    head, end, tail = sheet.partition(b"</sheetData>")
    if not end:
        head, _, tail = sheet.partition(b"<sheetData/>")
        head += b"<sheetData>"
    return b"".join([head, rows, b"</sheetData>", tail])
