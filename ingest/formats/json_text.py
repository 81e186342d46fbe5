"""JSON: one object per line, or a document that is an array of objects or a single one.

Numbers keep the text in which they were written, so that nothing is rounded before it is checked; nested values are
kept as their JSON text.
"""

import io
import json
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from ingest.source import Batch, Reject, Unreadable

BATCH_RECORDS = 50_000
CHUNK = 1 << 20
LONGEST_VALUE = 64 << 20
DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def read_lines(stream: BinaryIO, *, encoding: str) -> Iterator[Batch]:
    """A line that is not an object is a reject; blank lines are not counted."""
    batch = _Gathered()
    for line in _lines(stream, encoding):
        if text := line.strip("\ufeff \t\r\n"):
            try:
                record = DECODER.decode(text)
            except ValueError as error:
                batch.refuse(json.dumps(text, ensure_ascii=False), f"not a JSON line: {error}")
                continue
            batch.add(record)
            if batch.is_full:
                yield batch.taken()
    yield batch.last()


def read_document(stream: BinaryIO, *, encoding: str) -> Iterator[Batch]:
    """An array is read one object at a time, in bounded memory. A document that breaks off fails as a whole."""
    batch = _Gathered()
    for record in _records(io.TextIOWrapper(stream, encoding=encoding)):
        batch.add(record)
        if batch.is_full:
            yield batch.taken()
    yield batch.last()


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    lines = io.TextIOWrapper(stream, encoding=encoding, newline="\n")
    try:
        yield from lines
    except UnicodeError as error:
        raise _wrong_encoding(encoding, error) from None


def _records(text: io.TextIOWrapper) -> Iterator[object]:
    rest = _more(text).removeprefix("\ufeff").lstrip()
    if not rest.startswith("["):
        yield _value(text, rest, alone=True)[0]
        return
    rest, separator = rest[1:], "["
    while True:
        rest = _filled(text, rest)
        if rest.startswith("]") and separator == "[":
            break
        record, rest = _value(text, rest)
        yield record
        rest = _filled(text, rest)
        separator, rest = rest[:1], rest[1:]
        if separator == "]":
            break
        if separator != ",":
            raise Unreadable(f"not a JSON document: expected , or ] instead of {separator!r}")
        rest = rest or _more(text)
    if _filled(text, rest[rest.startswith("]") and separator == "[" :]):
        raise Unreadable("not a JSON document: something follows its end")


def _filled(text: io.TextIOWrapper, rest: str) -> str:
    """`rest` without leading blanks, and with at least one character unless the document ends."""
    while not (rest := rest.lstrip()):
        if not (rest := _more(text)):
            break
    return rest


def _value(text: io.TextIOWrapper, rest: str, *, alone: bool = False) -> tuple[object, str]:
    """The value with which `rest` starts, reading on until it is whole, and what follows it."""
    while True:
        try:
            value, end = DECODER.raw_decode(rest)
            if end < len(rest) or alone:
                more = rest[end:] + (text.read() if alone else "")
                if alone and more.strip():
                    raise Unreadable("not a JSON document: something follows its end")
                return value, more
        except json.JSONDecodeError as error:
            problem = str(error)
        else:
            problem = "it breaks off"
        more = _more(text)
        if not more or len(rest) > LONGEST_VALUE:
            raise Unreadable(f"not a JSON document: {problem}")
        rest += more


def _more(text: io.TextIOWrapper) -> str:
    try:
        return text.read(CHUNK)
    except UnicodeError as error:
        raise _wrong_encoding(text.encoding, error) from None


def _wrong_encoding(encoding: str, error: UnicodeError) -> Unreadable:
    return Unreadable(f"not {encoding}: {error}; say which encoding it has with encoding: in plant.yml")


class _Gathered:
    """Records and rejects until they are a batch."""

    def __init__(self):
        self.count = 0
        self.total = 0
        self._clear()

    def _clear(self) -> None:
        self.records: list[dict] = []
        self.rows: list[int] = []
        self.rejects: list[Reject] = []

    @property
    def is_full(self) -> bool:
        return len(self.records) + len(self.rejects) >= BATCH_RECORDS

    def refuse(self, record: str, reason: str) -> None:
        self.count += 1
        self.rejects.append(Reject(self.count, record, reason))

    def add(self, record: object) -> None:
        if not isinstance(record, dict):
            self.refuse(_json(record), "not a JSON object")
            return
        self.count += 1
        self.records.append(record)
        self.rows.append(self.count)

    def taken(self) -> Batch:
        try:
            batch = self._batch()
        except UnicodeEncodeError:
            self._refuse_no_text()
            batch = self._batch()
        self._clear()
        return batch

    def _batch(self) -> Batch:
        names = list(dict.fromkeys(name for record in self.records for name in record))
        columns = {
            name: pa.array([as_text(record.get(name)) for record in self.records], pa.string()) for name in names
        }
        return Batch(pa.table(columns), np.array(self.rows, np.int64), self.rejects)

    def _refuse_no_text(self) -> None:
        records, rows, self.records, self.rows = self.records, self.rows, [], []
        for record, row in zip(records, rows, strict=True):
            if is_text(json.dumps(record, ensure_ascii=False)):
                self.records.append(record)
                self.rows.append(row)
            else:
                self.rejects.append(Reject(row, json.dumps(record), "a text in it is none: half of a surrogate pair"))

    def last(self) -> Batch:
        if not self.count:
            raise Unreadable("the file is empty")
        return self.taken()


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if is_text(text) else json.dumps(value)


def is_text(text: str) -> bool:
    r"""JSON can write half of a surrogate pair, \ud800, which no encoding has."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
