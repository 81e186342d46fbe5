"""Rows of a sheet that are formatted and hold nothing: people format a hundred thousand at a time.

They are taken out of the sheet's XML before openpyxl makes objects of their cells, which would take a minute. What is
not written as Excel, LibreOffice, Google and openpyxl write it stays.
"""

import re
import zipfile
from io import BytesIO
from pathlib import Path

EMPTY = re.compile(rb'<row [^>]*?\br="(\d+)"[^>]*?(?:/>|>(?:<c [^>]*/>)*</row>)')
UNNUMBERED = re.compile(rb'<row(?![^>]*\br=")[ >/]')


def without_empty_rows(xml: bytes, after: int = 0) -> bytes:
    """The sheet without its empty rows below row `after`. Where rows are not numbered each one is needed."""
    if UNNUMBERED.search(xml):
        return xml
    return EMPTY.sub(lambda row: b"" if int(row[1]) > after else row[0], xml)


def trimmed(workbook: Path, after: dict[str, int]) -> BytesIO:
    """The workbook without the empty rows of some sheets. `after`: row by name of the sheet's file in it."""
    target = BytesIO()
    with zipfile.ZipFile(workbook) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename in after:
                content = without_empty_rows(content, after[part.filename])
            new.writestr(part.filename, content)
    return target
