"""Where in rows of text the table is: its delimiter, its header or none, and what stands above it."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from ingest.source import Unreadable
from ingest.suggest.names import is_name
from ingest.suggest.profile import COMMA, PLAIN
from ingest.suggest.times import CLOCK_ALONE, has_shape

DELIMITERS = ",;\t|^~#!&\x1f\x01"
DECIMALS = re.compile(r"[+-]?\d+,\d+")
LOOKED_AT = 200
Row = list[str | None]


@dataclass(frozen=True)
class Layout:
    """`start`: place of the header, or of the first record where there is none (`names` is None). `above`: how many
    rows are to be skipped to come there; blank ones alone are skipped untold."""

    start: int
    above: int
    names: list[str] | None
    records: list[Row]
    sure: bool = True
    """Whether it is plain that there is a header, or none."""


def delimiter_of(text: str) -> str:
    """Raises Unreadable where nothing splits the lines into columns."""
    sample = "\n".join(text.splitlines()[:LOOKED_AT])
    best = max(DELIMITERS, key=lambda delimiter: _splits(sample, delimiter))
    if not _splits(sample, best):
        raise Unreadable("not a table: no delimiter splits its lines into columns")
    return best


def split(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line that it starts on, from 0."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, line = [], 0
    try:
        for row in reader:
            if row:
                rows.append((line, [cell.strip() for cell in row]))
            line = reader.line_num
    except csv.Error as error:
        raise Unreadable(f"not a table: line {line + 1}: {error}") from None
    return rows


def _splits(text: str, delimiter: str) -> float:
    """How well it splits: lines alike, cells without other delimiters, names in the header."""
    rows = [row for _, row in split(text, delimiter)]
    widths = Counter(map(len, rows))
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    cells = [cell for row in rows if len(row) == width for cell in row]
    if width < 2:
        return 0.0
    others = set(DELIMITERS[:4]) - {delimiter}
    clean = sum(bool(DECIMALS.fullmatch(cell)) or not others & set(cell) for cell in cells) / len(cells)
    named = max(sum(map(is_name, row)) / width for row in rows[:20])
    return count / len(rows) * clean * (1 - 1 / width) * (1 + named)


def layout_of(rows: list[tuple[int, Row]]) -> Layout:
    """Of rows with their places, from 0. Raises Unreadable where there is no table in them."""
    filled = [(place, row) for place, row in rows if any(row)]
    width = Counter(len(row) for _, row in filled).most_common(1)[0][0] if filled else 0
    start = next((at for at, (_, row) in enumerate(filled) if _begins(row, width)), None)
    if start is None or width < 2:
        raise Unreadable("it is empty" if not filled else "not a table: its rows have no columns in common")
    place, first = filled[start]
    records = [row for _, row in filled[start + 1 :] if len(row) == width]
    is_header, sure = _is_header(first, records[:LOOKED_AT])
    above = place if start else 0
    if is_header:
        return Layout(place, above, [cell or "" for cell in first], records, sure)
    return Layout(place, above, None, [first, *records], sure)


def _begins(row: Row, width: int) -> bool:
    return len(row) == width and sum(map(bool, row)) >= max(2, width / 2)


def _is_header(first: Row, records: list[Row]) -> tuple[bool, bool]:
    """Whether the first row is one, and whether that is sure."""
    cells = [cell for cell in first if cell]
    named = sum(is_name(cell) for cell in cells)
    if any(map(is_value, cells)):
        return named * 2 >= len(cells), True
    below = list(zip(*records, strict=True))
    if any(all(map(is_value, filter(None, column))) and any(column) for column in below):
        return True, True
    again = any(cell in column for cell, column in zip(first, below, strict=False) if cell)
    return not again or named > len(cells) / 2, named > 1 or again


def is_value(cell: str) -> bool:
    """Whether a cell is a number or a time, so no name of a column."""
    return bool(PLAIN.fullmatch(cell) or COMMA.fullmatch(cell) or CLOCK_ALONE.fullmatch(cell) or has_shape(cell))
