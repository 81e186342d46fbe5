"""Workbooks that anybody may have made, opened; and a sheet's cells as they lie in the file, in one pass."""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from ingest.forms.empty_rows import without_empty_rows
from ingest.source import Unreadable

LARGEST = 128 << 20
"""Bytes of a workbook, unpacked: some hundred thousand entries."""
OLD_OR_ENCRYPTED = b"\xd0\xcf\x11\xe0"
BROKEN = (zipfile.BadZipFile, InvalidFileException, SyntaxError, LookupError, ValueError, TypeError, EOFError, OSError)
"""What openpyxl raises over a file that is no workbook, or half of one."""


def load(file: Path | BytesIO, **options) -> openpyxl.Workbook:
    """What openpyxl leaves out of a workbook is no business of the person who runs the pipeline."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(file, **options)


@contextmanager
def opened(file: Path) -> Iterator[openpyxl.Workbook]:
    """Raises Unreadable, also for what goes wrong while it is read."""
    try:
        with file.open("rb") as stream:
            if stream.read(4) == OLD_OR_ENCRYPTED:
                raise Unreadable("an old .xls workbook, or one with a password; save it as .xlsx, without a password")
        with zipfile.ZipFile(file) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST:
                raise Unreadable(f"larger than {LARGEST >> 20} MB when unpacked; split it")
        book = load(file, read_only=True, data_only=True)
    except BROKEN as error:
        raise Unreadable(f"not a whole XLSX workbook: {error}") from None
    try:
        yield book
    except BROKEN as error:
        raise Unreadable(f"not a whole XLSX workbook: {error}") from None
    finally:
        book.close()


class Cells(WorkSheetParser):
    """A sheet's cells as openpyxl reads them; of a formula the value, and `formula`: saved, or missing."""

    def __init__(self, worksheet):
        book = worksheet.parent
        super().__init__(
            BytesIO(without_empty_rows(worksheet._get_source().read())),
            worksheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )

    def parse_cell(self, element):
        cell = super().parse_cell(element)
        if element.find(FORMULA_TAG) is not None:
            cell["formula"] = "saved" if cell["value"] is not None or element.get("t") == "str" else "missing"
        return cell
