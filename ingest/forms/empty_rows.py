"""Rows of a sheet that are formatted and hold nothing: people format a hundred thousand at a time.

They are taken out of the sheet's XML before openpyxl makes objects of their cells, which would take a minute. What is
not written as Excel, LibreOffice, Google and openpyxl write it stays.
"""

import re
import zipfile
from io import BytesIO
from itertools import count
from pathlib import Path

EMPTY = re.compile(rb'<row [^>]*?\br="\d+"[^>]*?(?:/>|>(?:<c [^>]*/>)*</row>)')
UNNUMBERED = re.compile(rb'<row(?![^>]*\br=")[ >/]')


def without_empty_rows(xml: bytes, kept: int = 0) -> bytes:
    """The sheet without its empty rows, but for the first `kept`. Where rows are not numbered each one is needed."""
    if UNNUMBERED.search(xml):
        return xml
    number = count()
    return EMPTY.sub(lambda row: row[0] if next(number) < kept else b"", xml)


def trimmed(workbook: Path, parts: set[str], *, kept: int) -> BytesIO:
    """The workbook without the empty rows of some sheets, named by their files in it, but for the first of each."""
    target = BytesIO()
    with zipfile.ZipFile(workbook) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename in parts:
                content = without_empty_rows(content, kept)
            new.writestr(part.filename, content)
    return target
