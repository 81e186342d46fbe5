"""Payloads of messages to records as received: columns of text, named by the dotted paths of their fields.

A payload is a JSON object, an array of them, or a plain value such as `21.5`. What a message has and nobody asked for
goes into the column `payload`: no message can make columns of its own, and all tables of a source have one schema.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.contract import Contract, plain
from ingest.formats.json_text import as_text
from ingest.stream.connector import Message
from pipeline.streams import StreamSource
from pipeline.topics import topic_pattern

REST = "payload"
"""The column of what nobody asked for: a map of path and text."""
NAME, VALUE = "name", "value"
"""The columns of values that are a reading each."""
MAP = pa.map_(pa.string(), pa.string())
ARRIVED, SERVER = "arrived_at", "server_at"
"""What the consumer knows of a message."""
INSTANT = pa.timestamp("us", "UTC")
LARGEST = 16 << 20
"""Bytes of a payload."""
DEEPEST = 32
TOO_DEEP = f"nested more than {DEEPEST} levels deep"
NUMBER = r"^\d+(\.\d+)?([eE]\+?\d+)?$"
SECONDS = (946_684_800, 4_102_444_800)
"""2000 and 2100, in seconds since 1970."""
BLANKS = "\ufeff \t\r\n"
IN_BRACES = re.compile(r"\{([^{}]+)\}")


class Misfit(ValueError):
    """A message, or a reading in it, that can't become a record; the message says why."""


@dataclass(frozen=True)
class Decoded:
    """`records` has a row per reading; `messages` says which message (from 0) each is of."""

    records: pa.Table
    messages: np.ndarray
    rejects: list[tuple[int, str]]
    """Message and reason. Of a message with several readings those that are right are kept."""


class Payloads:
    """Of one source. Its `columns`: contract column by the path of its field or its name in the topic, or by a text
    with such names in braces. Fields whose names equal a contract's column but for case and `_` need no mention.
    """

    def __init__(self, source: StreamSource, contract: Contract):
        self.payload = payload = source.payload
        columns = source.columns
        self.patterns = [topic_pattern(topic) for topic in payload.topics]
        self.prefixes = tuple(path[:-1] for path in payload.values if path.endswith(".*"))
        self.composed = {name: text for name, text in columns.items() if IN_BRACES.search(text)}
        self.columns = {name: path for name, path in columns.items() if name not in self.composed}
        """Contract column by the name it has in `records`: what the conversion has to know."""
        self.delivery = [name for name in (ARRIVED, SERVER) if name in contract.columns]
        self.has_format = source.timestamp_format is not None
        self.times = [columns.get(name, name) for name in contract.timestamps if name not in self.delivery]
        own = [name for name in contract.columns if name not in columns and name not in self.delivery]
        self.unnamed = {plain(name): name for name in own}
        parts = [name for text in self.composed.values() for name in IN_BRACES.findall(text)]
        in_topics = [name for pattern in self.patterns for name in pattern.groupindex]
        of_values = [NAME, VALUE] if payload.values else []
        self.names = dict.fromkeys([*own, *self.columns.values(), *parts, *in_topics, *of_values])
        self.fields = {name: name for name in self.names if name not in of_values}

    def decode(self, messages: Sequence[Message]) -> Decoded:
        """What is wrong with one message is of no other."""
        rows: list[dict] = []
        places: list[int] = []
        rejects: list[tuple[int, str]] = []
        for place, message in enumerate(messages):
            try:
                fields = self._topic_fields(message.topic)
                readings = self._readings(message.payload)
                for number, parts in enumerate(readings, start=1):
                    try:
                        found = self._rows(parts, fields)
                    except Misfit as misfit:
                        rejects.append((place, f"reading {number}: {misfit}" if len(readings) > 1 else str(misfit)))
                    else:
                        rows += found
                        places += [place] * len(found)
            except Misfit as misfit:
                rejects.append((place, str(misfit)))
        return Decoded(self._table(rows, [messages[place] for place in places]), np.array(places, np.int64), rejects)

    def _readings(self, content: bytes) -> list[tuple[object, ...]]:
        """At least one, each as the objects that its fields are in. Raises Misfit."""
        text = _text(content)
        if self.payload.format == "value":
            return [({VALUE: text},)]
        document = _document(text)
        if isinstance(document, list):
            readings = [(element,) for element in document]
        elif self.payload.each:
            readings = [(document, element) for element in self._elements(document)]
        else:
            return [(document,)]
        if not readings:
            raise Misfit("there is no reading in it")
        return readings

    def _elements(self, document: object) -> list:
        """Taken out of the document."""
        *way, last = self.payload.each.split(".")
        for step in way:
            document = document.get(step) if isinstance(document, dict) else None
        elements = document.pop(last, None) if isinstance(document, dict) else None
        if not isinstance(elements, list):
            raise Misfit(f"there is no array {self.payload.each} in it")
        return elements

    def _rows(self, parts: tuple[object, ...], fields: dict[str, str]) -> list[dict]:
        found = _Found()
        for part in parts:
            if type(part) is not dict:
                raise Misfit("not a JSON object")
            self._fill(found, part, "", DEEPEST, fields)
        row = found.row
        if found.rest:
            row[REST] = sorted(dict(found.rest).items())
            if len(row[REST]) < len(found.rest):
                raise Misfit("one of its fields is there twice")
        row |= fields
        if not self.payload.values:
            return [row]
        if not found.values:
            raise Misfit(f"there is none of the values {', '.join(self.payload.values)} in it")
        return [row | {NAME: name, VALUE: value} for name, value in found.values]

    def _fill(self, found: "_Found", part: dict, prefix: str, levels: int, fields: dict[str, str]) -> None:
        """Puts each field where it belongs."""
        if not levels:
            raise Misfit(TOO_DEEP)
        for name, value in part.items():
            path = prefix + name
            if type(value) is dict:
                self._fill(found, value, f"{path}.", levels - 1, fields)
                continue
            column = self.fields.get(path) or self.fields.get(self.unnamed.get(plain(path)))
            text = value if type(value) is str else _as_text(value)
            if self.payload.values and (name_of_value := self._name_of_value(path)):
                found.values.append((name_of_value, text))
            elif column is None or column in fields:
                if text and not text.isspace():
                    found.rest.append((path, text.strip()))
            elif column in found.row:
                raise Misfit(f"the field {path!r} and another one could both be {column}; say which in columns:")
            else:
                found.row[column] = text

    def _name_of_value(self, path: str) -> str | None:
        if path in self.payload.values:
            return path
        return next((path.removeprefix(prefix) for prefix in self.prefixes if path.startswith(prefix)), None)

    def _topic_fields(self, topic: str) -> dict[str, str]:
        for pattern in self.patterns:
            if found := pattern.fullmatch(topic):
                return found.groupdict()
        if self.patterns:
            raise Misfit(f"its topic is none of {', '.join(self.payload.topics)}")
        return {}

    def _table(self, rows: list[dict], messages: list[Message]) -> pa.Table:
        columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in self.names}
        for name, text in self.composed.items():
            columns[name] = _composed(text, columns)
        for name in () if self.has_format else self.times:
            columns[name] = with_epochs(columns[name])
        if self.payload.format == "value":  # a plain value has no time of its own
            columns |= {name: _instants(messages, ARRIVED) for name in self.times[:1]}
        columns |= {name: _instants(messages, name) for name in self.delivery}
        return pa.table(columns | {REST: pa.array([row.get(REST) for row in rows], MAP)})


class _Found:
    """What a reading is made of: its columns, its values with their names, and the fields that nobody asked for."""

    __slots__ = ("rest", "row", "values")

    def __init__(self):
        self.row: dict[str, object] = {}
        self.values: list[tuple[str, object]] = []
        self.rest: list[tuple[str, str]] = []


def _composed(text: str, columns: dict[str, pa.Array]) -> pa.Array:
    """NULL where one of its parts is."""
    before, *after = IN_BRACES.split(text)[::2]
    pieces = [pa.scalar(before)]
    for part, between in zip(IN_BRACES.findall(text), after, strict=True):
        pieces += [columns[part], pa.scalar(between)]
    return pc.binary_join_element_wise(*pieces, "")


def _instants(messages: list[Message], name: str) -> pa.Array:
    return pa.array([getattr(message, name) for message in messages], INSTANT)


def as_received(topic: str, content: bytes) -> str:
    """A message as JSON text, for the record of a reject: what is not UTF-8 as `\\x` and its digits."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = f"\\x{content.hex()}"
    return json.dumps({"topic": topic, "payload": text}, ensure_ascii=False)


def with_epochs(received: pa.Array) -> pa.Array:
    """Numbers of seconds, milli-, micro- or nanoseconds since 1970 become ISO text; all else is as it was.

    Only times of 2000 to 2100 are: of these, no number of seconds is one of milliseconds, and so on.
    """
    numeric = pc.fill_null(pc.match_substring_regex(received, NUMBER), False).to_numpy(zero_copy_only=False)
    if not numeric.any():
        return received
    numbers = np.zeros(len(received))
    numbers[numeric] = received.filter(pa.array(numeric)).to_numpy(zero_copy_only=False).astype(np.float64)
    times = np.zeros(len(received), np.int64)
    for microseconds in (1e6, 1e3, 1.0, 1e-3):
        found = (numbers >= SECONDS[0] * 1e6 / microseconds) & (numbers < SECONDS[1] * 1e6 / microseconds)
        times[found] = np.rint(numbers[found] * microseconds).astype(np.int64)
    texts = np.datetime_as_string(times[times > 0].astype("datetime64[us]"), unit="us", timezone="UTC")
    return pc.replace_with_mask(received, pa.array(times > 0), pa.array(texts.astype(object), pa.string()))


def _text(content: bytes) -> str:
    if len(content) > LARGEST:
        raise Misfit(f"the payload has {len(content):,} bytes; expected at most {LARGEST:,}")
    try:
        return content.decode().strip(BLANKS)
    except UnicodeDecodeError:
        raise Misfit("the payload is not UTF-8 text") from None


def _document(text: str) -> object:
    """Numbers are text as they were written, so that nothing is rounded before it is checked."""
    try:
        document, end = SCAN(text, 0)
        if "\\u" in text:  # half a surrogate pair is no text that could be stored
            json.dumps(document, ensure_ascii=False).encode()
    except (json.JSONDecodeError, StopIteration):
        raise Misfit("the payload is not JSON") from None
    except RecursionError:
        raise Misfit(TOO_DEEP) from None
    except UnicodeEncodeError:
        raise Misfit("the payload has half a surrogate pair in it") from None
    if end < len(text):
        raise Misfit("the payload is not JSON: something follows its end")
    return document


def _as_text(value: object) -> str | None:
    try:
        return as_text(value)
    except RecursionError:
        raise Misfit(TOO_DEEP) from None


def _once(pairs: list[tuple[str, object]]) -> dict:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise Misfit(f"the field {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return fields


SCAN = json.JSONDecoder(object_pairs_hook=_once, parse_int=str, parse_float=str, parse_constant=str).scan_once
