"""Blocks of text to blocks of whole records, with quoting checked to the letter.

A quote opens a value only at its start, and closes it only before a delimiter or line end; inside it is doubled.
Elsewhere in an unquoted value it is an ordinary character. Anything else, a quote that is never closed, and a record
that runs over line ends and has the delimiters of two, means rows are being swallowed: Unreadable.
"""

from collections.abc import Iterator

import numpy as np

from ingest.source import Unreadable

LONGEST_RECORD = 64 << 20
QUOTE, LINE_FEED, RETURN = 0x22, 0x0A, 0x0D


def record_blocks(blocks: Iterator[bytes], delimiter: bytes, columns: int, *, first_line: int) -> Iterator[bytes]:
    """Yields the same text, cut at line ends outside quotes. `first_line` is the line on which it starts."""
    rest, line = b"", first_line
    for block in blocks:
        data = rest + block
        quotes = structural_quotes(data, delimiter, line)
        cut = _last_line_end(data, quotes)
        if cut:
            _refuse_swallowed_rows(data[:cut], quotes[: np.searchsorted(quotes, cut)], delimiter, columns, line)
            yield data[:cut]
            line += data.count(b"\n", 0, cut)
        rest = data[cut:]
        if len(rest) > LONGEST_RECORD:
            raise Unreadable(f"the record that starts on line {line} is longer than {LONGEST_RECORD >> 20} MB")
    if rest:
        quotes = structural_quotes(rest, delimiter, line)
        if len(quotes) % 2:
            opened = line + rest.count(b"\n", 0, int(quotes[-1]))
            raise Unreadable(f"the quote that opens on line {opened} is never closed")
        _refuse_swallowed_rows(rest, quotes, delimiter, columns, line)
        yield rest


def structural_quotes(data: bytes, delimiter: bytes, line: int) -> np.ndarray:
    """Positions of the quotes that open and close values, in turn, a doubled one counting as a close and an open.

    `data` starts outside quotes, on `line`; its last value may be cut off. Raises Unreadable on broken quoting.
    """
    if b'"' not in data:
        return np.array([], np.int64)
    codes = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(codes == QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    limits = [QUOTE, LINE_FEED, RETURN, delimiter[0]]
    before = codes[np.maximum(opening - 1, 0)]
    after = codes[np.minimum(closing + 1, len(codes) - 1)]
    good = (np.isin(before, limits) | (opening == 0)).all() and (
        np.isin(after, limits) | (closing + 1 == len(codes))
    ).all()
    return quotes if good else _walked(data, quotes, delimiter, line)


def _walked(data: bytes, quotes: np.ndarray, delimiter: bytes, line: int) -> np.ndarray:
    """The same, one quote at a time, where some quotes are ordinary characters or quoting is broken."""
    outside = {b"\n", b"\r", delimiter, b""}
    found: list[int] = []
    for at in quotes.tolist():
        inside = len(found) % 2 == 1
        doubled = bool(found) and found[-1] == at - 1
        before, after = data[at - 1 : at] if at else b"", data[at + 1 : at + 2]
        if inside and after not in outside and after != b'"':
            number = line + data.count(b"\n", 0, at)
            raise Unreadable(f"broken quoting on line {number}: a quote is followed by {after!r}, not by a delimiter")
        if inside or doubled or before in outside:
            found.append(at)
    return np.array(found, np.int64)


def _last_line_end(data: bytes, quotes: np.ndarray) -> int:
    """The position after the last line end outside quotes; 0 where there is none."""
    end = len(data)
    while (end := data.rfind(b"\n", 0, end)) >= 0:
        opened = np.searchsorted(quotes, end)
        if opened % 2 == 0:
            return end + 1
        end = int(quotes[opened - 1])
    return 0


def _refuse_swallowed_rows(data: bytes, quotes: np.ndarray, delimiter: bytes, columns: int, line: int) -> None:
    """A record that runs over line ends and has as many delimiters, quoted ones counted, as two records have."""
    if not len(quotes):
        return
    line_ends = np.flatnonzero(np.frombuffer(data, np.uint8) == LINE_FEED)
    inside = np.searchsorted(quotes, line_ends) % 2 == 1
    ends = line_ends[~inside]
    for record in np.unique(np.searchsorted(ends, line_ends[inside])).tolist():
        start = int(ends[record - 1]) + 1 if record else 0
        end = int(ends[record]) if record < len(ends) else len(data)
        if data.count(delimiter, start, end) >= 2 * (columns - 1):
            number = line + data.count(b"\n", 0, start)
            raise Unreadable(
                f"the record that starts on line {number} runs over line ends and has the delimiters of two records: "
                "a quote is missing, and rows would be swallowed"
            )
