"""Forms as people fill them in, and what came back."""

import zipfile
from collections.abc import Callable
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet
from plant_site import Site

from ingest.forms.template import FIRST_ROW, blank_form

SOURCE = {"name": "tests", "kind": "files", "path": "inbox/*", "format": "form"}
MACHINE, DATE, SHIFT, CATEGORY, MINUTES, QUANTITY, REASON, COMMENT, OPERATOR, RESULT = range(1, 11)
DAY = date(2024, 3, 5)
GOOD = {MACHINE: "M1", DATE: DAY, SHIFT: "early", CATEGORY: "stop", MINUTES: 12.5}
PINK = "FFF4B6A6"


@cache
def _blank(form: str) -> bytes:
    stream = BytesIO()
    blank_form(form, {}, zone="Asia/Singapore", inbox="inbox").save(stream)
    return stream.getvalue()


def blank(form: str) -> openpyxl.Workbook:
    """A form for a plant without reference data."""
    return openpyxl.load_workbook(BytesIO(_blank(form)))


def row(**values: object) -> dict[int, object]:
    """A good row of an operator's report, but for `values`: row(MINUTES="x")."""
    return GOOD | {globals()[name]: value for name, value in values.items()}


def fill(
    site: Site,
    *rows: dict[int, object],
    name: str = "a.xlsx",
    form: str = "operator_report",
    change: Callable[[Worksheet], None] = lambda sheet: None,
) -> Path:
    """A blank form with `rows`, then changed, put into the inbox."""
    book = blank(form)
    write(book.active, *rows)
    change(book.active)
    target = site.folder / "inbox" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return target


def write(sheet: Worksheet, *rows: dict[int, object], first: int = FIRST_ROW) -> None:
    for number, cells in enumerate(rows, start=first):
        for column, value in cells.items():
            cell = sheet.cell(number, column)
            cell.value = value
            if value == "'=1+1":
                cell.value, cell.data_type = "=1+1", "s"


def returned(site: Site, name: str = "a.xlsx") -> Path:
    return site.paths.returned / "tests" / name


def returns(site: Site) -> list[str]:
    folder = site.paths.returned / "tests"
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def red(file: Path) -> dict[str, str]:
    """Address and note of each red cell."""
    cells = (cell for row in openpyxl.load_workbook(file).active.iter_rows(min_row=FIRST_ROW) for cell in row)
    return {cell.coordinate: cell.comment.text for cell in cells if cell.fill.fgColor.rgb == PINK}


def results(file: Path) -> list[str]:
    sheet = openpyxl.load_workbook(file).active
    said = (sheet.cell(number, RESULT).value for number in range(FIRST_ROW, sheet.max_row + 1))
    return [text for text in said if text]


def rewrite(file: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """Changes the parts of a workbook by name; None leaves a part out."""
    with zipfile.ZipFile(file) as old:
        parts = {name: change(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            if content is not None:
                new.writestr(name, content)
