"""Workbooks that anybody may have made, opened; and a sheet's cells as they lie in the file, in one pass."""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import openpyxl
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from ingest.forms.empty_rows import without_empty_rows
from ingest.source import Unreadable

LARGEST = 128 << 20
"""Bytes of a workbook, unpacked: some hundred thousand entries."""
OLD_OR_ENCRYPTED = b"\xd0\xcf\x11\xe0"


def load(file: Path | BytesIO, **options) -> openpyxl.Workbook:
    """What openpyxl leaves out of a workbook is no business of the person who runs the pipeline."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(file, **options)


@contextmanager
def opened(file: Path) -> Iterator[openpyxl.Workbook]:
    """For `Cells` of its sheets. Raises Unreadable."""
    with _explained():
        with file.open("rb") as stream:
            if stream.read(4) == OLD_OR_ENCRYPTED:
                raise Unreadable("an old .xls workbook, or one with a password; save it as .xlsx, without a password")
        with zipfile.ZipFile(file) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST:
                raise Unreadable(f"larger than {LARGEST >> 20} MB when unpacked; split it")
        book = load(file, read_only=True, data_only=True)
    try:
        yield book
    finally:
        book.close()


class Cells(WorkSheetParser):
    """A sheet's cells as openpyxl reads them; of a formula the value, and `formula`: saved, or missing."""

    def __init__(self, worksheet):
        book = worksheet.parent
        super().__init__(
            BytesIO(),
            worksheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        self.worksheet = worksheet

    def rows(self) -> Iterator[tuple[int, list[dict]]]:
        """Number and cells of each row that holds anything. Raises Unreadable."""
        with _explained():
            self.source = BytesIO(without_empty_rows(self.worksheet._get_source().read()))
            yield from self.parse()

    def parse_cell(self, element):
        cell = super().parse_cell(element)
        if element.find(FORMULA_TAG) is not None:
            cell["formula"] = "saved" if cell["value"] is not None or element.get("t") == "str" else "missing"
        return cell


@contextmanager
def _explained() -> Iterator[None]:
    """There is no end to what openpyxl raises over a workbook that is broken, or only unusual."""
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"not a whole XLSX workbook: {error}") from None
