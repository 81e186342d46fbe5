"""Cells of a worksheet, written as XML rows.

openpyxl makes about 150,000 cells a second; `station_day` of a quarter alone has 440,000, once for every role. So the
rows of the marts are rendered here, once for all workbooks, and put into the sheets that openpyxl lays out
(`report.workbook_file`).
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter

LONGEST_TEXT = 32_767  # of an Excel cell
LAST_ROW = 1_048_576
EPOCH = dt.date(1899, 12, 30)
MIDNIGHT = dt.datetime(1899, 12, 30)

_CONTROL = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421, 0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}
_CONTROL |= dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def clean_text(text: str) -> str:
    """What a cell may hold of a record's text: control characters as their pictures (␉ ␊ …), cut at Excel's longest."""
    text = text.translate(_CONTROL)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def needs_quote(text: str) -> bool:
    """Whether Excel would take the text for a formula once somebody edits the cell."""
    return text[:1] in ("=", "+", "-", "@")


def render_rows(
    rows: Iterable[Sequence[object]], formats: Sequence[str], styles: dict[str, int], first_row: int
) -> tuple[bytes, list[int]]:
    """XML of `rows` from row `first_row` on, and each column's longest text in characters as shown.

    `formats` names each column's style, `styles` gives their numbers in the workbook; `quoted` is that of text that
    looks like a formula.
    """
    writers = [_writer(get_column_letter(i + 1), styles[name], styles["quoted"]) for i, name in enumerate(formats)]
    widths = [0] * len(formats)
    parts: list[str] = []
    for number, row in enumerate(rows, first_row):
        parts.append(f'<row r="{number}">')
        for column, (write, value) in enumerate(zip(writers, row, strict=True)):
            if value is None:
                continue
            parts.append(write(number, value))
            length = len(value) if isinstance(value, str) else _shown_length(value)
            widths[column] = max(widths[column], length)
        parts.append("</row>")
    return "".join(parts).encode(), widths


def _writer(letter: str, style: int, quoted: int) -> Callable[[int, object], str]:
    texts: dict[str, tuple[int, str]] = {}  # names repeat on every row

    def write(row: int, value: object) -> str:
        if isinstance(value, bool):
            value = "yes" if value else "no"
        if isinstance(value, str):
            if value not in texts:
                clean = clean_text(value)
                inner = escape(_ESCAPE_LIKE.sub("_x005F_", clean))
                texts[value] = (quoted if needs_quote(clean) else style, inner)
            of_text, inner = texts[value]
            return f'<c r="{letter}{row}" s="{of_text}" t="inlineStr"><is><t xml:space="preserve">{inner}</t></is></c>'
        if isinstance(value, dt.datetime):
            value = round((value - MIDNIGHT) / dt.timedelta(days=1), 9)  # to a tenth of a millisecond
        elif isinstance(value, dt.date):
            value = (value - EPOCH).days
        if isinstance(value, float) and not (abs(value) < float("inf")):
            return ""
        return f'<c r="{letter}{row}" s="{style}"><v>{value!r}</v></c>'

    return write


def _shown_length(value: object) -> int:
    """Characters of a number or date with its separators, about."""
    if isinstance(value, bool):
        return 3
    if isinstance(value, dt.date):
        return 16 if isinstance(value, dt.datetime) else 10
    if not abs(value) < float("inf"):  # type: ignore[arg-type]
        return 0
    digits = len(str(int(abs(value)))) if abs(value) < 1e15 else 15  # type: ignore[arg-type, call-overload]
    return digits + (digits - 1) // 3 + (2 if isinstance(value, float) else 0)
