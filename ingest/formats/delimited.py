"""CSV and TSV: fields between delimiters, `"` as the quote, doubled inside quotes; a header line, or names by position;
UTF-8 unless told.

Nothing is detected but the delimiter, from the header. Text is cut into blocks of whole records (`quoting`), and each
block is parsed at once. A row with too many or too few fields is a reject; broken quoting fails the file, since it
can swallow the rows that follow.
"""

import codecs
import csv
import io
import json
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from ingest.contract import plain
from ingest.formats.header import check_names
from ingest.formats.quoting import LONGEST_RECORD, record_blocks
from ingest.source import Batch, Reject, Unreadable

BLOCK_BYTES = 8 << 20
DELIMITERS = ",;\t|"
MOST_BY_LUCK = 0.05
"""Share of the lines that may have as many fields as `header` names although it is not theirs."""
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read(
    stream: BinaryIO,
    known: set[str],
    *,
    delimiter: str | None,
    encoding: str,
    names: list[str] | None = None,
    skip: int = 0,
) -> Iterator[Batch]:
    """`known`: lower-case column names without `_`, by which the delimiter is chosen when it is not given.

    `names`: of the columns by position, when no line has them. `skip`: lines above the header or the first record.
    """
    blocks = _without_lines(_utf8_blocks(stream, encoding), skip)
    line, rest, number = _first_line(blocks, skip + 1)
    if names is None:
        delimiter = delimiter or _delimiter(line, known)
        header, blocks, number = _header(line, delimiter), chain([rest.lstrip(b"\r\n")], blocks), number + 1
    else:
        delimiter = delimiter or _delimiter_by_count(line, len(names))
        header, blocks = names, chain([line.encode() + rest], blocks)
    columns = [f"c{position}" for position in range(len(header))]
    count = good_count = 0
    for block in record_blocks(blocks, delimiter.encode(), len(header), first_line=number):
        records, rejects = _parsed(block, columns, delimiter)
        # A good record's position counts the rejected ones before it: the i-th of them at row r lies after r - i - 1.
        before = np.array([reject.row - 1 - i for i, reject in enumerate(rejects)], np.int64)
        good = np.arange(len(records), dtype=np.int64)
        rows = count + 1 + good + np.searchsorted(before, good, side="right")
        moved = [Reject(count + reject.row, reject.record, reject.reason) for reject in rejects]
        yield Batch(records.rename_columns(header), rows, moved)
        count += len(records) + len(rejects)
        good_count += len(records)
    if names and count and good_count <= count * MOST_BY_LUCK:
        said = f"{count - good_count:,} of {count:,} lines have not the {len(names)} fields that header: in plant.yml"
        raise Unreadable(f"{said} names, with {delimiter!r} between them; the first is {line[:80]!r}")
    if not count:
        empty = pa.table({name: pa.array([], pa.string()) for name in header})
        yield Batch(empty, np.array([], np.int64))


def _utf8_blocks(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    """The text as UTF-8, checked, without a byte order mark."""
    block = stream.read(BLOCK_BYTES)
    if not block:
        raise Unreadable("the file is empty")
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if block.startswith(mark)), encoding)
    decoder = codecs.getincrementaldecoder(encoding)()
    plain = codecs.lookup(encoding).name == "utf-8"
    done = 0
    while True:
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            at = done - pending + error.start
            raise Unreadable(
                f"not {encoding} at byte {at} (0x{error.object[error.start]:02x}); say which encoding it has with "
                "encoding: in plant.yml, such as cp1252"
            ) from None
        if not block:
            return
        yield block if plain else text.encode()
        done += len(block)
        block = stream.read(BLOCK_BYTES)


def _without_lines(blocks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """What follows `count` lines, blank ones counted."""
    left = count
    for block in blocks:
        start = 0
        while left and (end := block.find(b"\n", start)) >= 0:
            start, left = end + 1, left - 1
        if not left:
            yield block[start:]
    if left:
        raise Unreadable(f"the file has fewer lines than skip_rows: {count} in plant.yml")


def _first_line(blocks: Iterator[bytes], number: int) -> tuple[str, bytes, int]:
    """The first line that is not blank, what follows it in its block, and its number; `number` is that of the first."""
    first = b""
    for block in blocks:
        first += block
        start = len(first) - len(first.lstrip(b"\r\n"))
        number += first.count(b"\n", 0, start)
        first = first[start:]
        ends = [at for at in (first.find(b"\n"), first.find(b"\r")) if at >= 0]
        if ends:
            return first[: min(ends)].decode(), first[min(ends) :], number
        if len(first) > LONGEST_RECORD:
            raise Unreadable(f"line {number} is longer than {LONGEST_RECORD >> 20} MB: not a text file with columns")
    return first.decode(), b"", number


def _delimiter(line: str, known: set[str]) -> str:
    """The one of `,` `;` tab `|` that splits the header into most known names, then into most names."""

    def score(delimiter: str) -> tuple[int, int]:
        names = _split(line, delimiter)
        return len({plain(name) for name in names} & known), len(names)

    return max(DELIMITERS, key=score)


def fields_of(line: str, delimiter: str | None, count: int) -> list[str]:
    """Of a record in one line, which should have so many."""
    return _split(line, delimiter or _delimiter_by_count(line, count))


def _delimiter_by_count(line: str, count: int) -> str:
    """The one of them that splits the first record into so many fields; else a comma."""
    return next((it for it in DELIMITERS if len(_split(line, it)) == count), ",")


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])


def _header(line: str, delimiter: str) -> list[str]:
    if line.count('"') % 2:
        raise Unreadable("the header has a quote that is never closed")
    names = [name.strip() for name in _split(line, delimiter)]
    if not names:
        raise Unreadable("the file has no header")
    check_names(names)
    return names


def _parsed(block: bytes, names: list[str], delimiter: str) -> tuple[pa.Table, list[Reject]]:
    """The block's records as text columns, and its ragged rows; positions count from 1 in the block."""
    rejects: list[Reject] = []

    def refuse(row: arrow_csv.InvalidRow) -> str:
        reason = f"{row.actual_columns} fields instead of {row.expected_columns}"
        rejects.append(Reject(row.number, json.dumps(row.text, ensure_ascii=False), reason))
        return "skip"

    table = arrow_csv.read_csv(
        pa.BufferReader(block),
        read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 1),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter,
            quote_char='"',
            double_quote=True,
            escape_char=False,
            newlines_in_values=True,
            ignore_empty_lines=True,
            invalid_row_handler=refuse,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in names}, strings_can_be_null=False, check_utf8=False
        ),
    )
    for reject in rejects:
        if "\\n" in reject.record or "\\r" in reject.record:
            raise Unreadable(
                f"a quoted value runs over a line end in a row of {reject.reason}: a quote is missing near "
                f"{reject.record[:80]}"
            )
    return table, rejects
