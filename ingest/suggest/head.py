"""The head of an unknown file: its first megabytes, cut after a whole record, as a file of its own.

All else looks at the head alone, with the formats' own readers, so memory stays small however large the file is.
"""

import gzip
import json
from contextlib import nullcontext
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet as pq

from ingest.formats import parquet
from ingest.source import Unreadable
from ingest.sources import archive
from ingest.sources.content import BROKEN_GZIP, Content, file_version
from ingest.sources.files import is_meant
from ingest.suggest.encoding import decoded

HEAD_BYTES = 4 << 20
MOST_RECORDS = 20_000
WHOLE_BYTES = 64 << 20
"""Formats that are read whole or not at all are tried up to this size."""
GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
STDF = (b"\x02\x00\x00\x0a", b"\x00\x02\x00\x0a")
JSON = json.JSONDecoder()


@dataclass(frozen=True)
class Head:
    """`kind` is the format as plant.yml calls it. `text` and `encoding` are those of formats that are text."""

    file: Path
    kind: str
    read: int
    """Bytes that were looked at, unpacked, about."""
    whole: bool
    """Whether that is all of it."""
    text: str = ""
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Place(Content):
    """Where an unknown file is. `others`: further members of its archive."""

    others: tuple[str, ...] = ()


def place_of(path: Path) -> Place:
    """Where `path` leads: to a file, to a member of an archive, or to the first of its members. Raises Unreadable."""
    file = next((it for it in (path, *path.parents) if it.exists()), path)
    if not file.is_file():
        raise Unreadable("it is no file" if path.exists() else "there is no such file")
    if not archive.is_archive(file.name):
        if file != path:
            raise Unreadable(f"{file.name} is no folder and no archive")
        return Place(file, file_version(file))
    found = [it for it in archive.members(file) if is_meant(archive.base_of(it))]
    wanted = [it for it in found if file == path or it.filename == path.relative_to(file).as_posix()]
    if not wanted:
        names = ", ".join(archive.name_of(it) for it in found[:5])
        raise Unreadable(f"the archive has no such file; it has {names or 'none'}")
    return Place(file, file_version(file), wanted[0], tuple(archive.name_of(it) for it in found if it != wanted[0]))


def head_of(place: Place, folder: Path) -> Head:
    """Writes the head into `folder`. Raises Unreadable where a file is in no known format, empty or broken."""
    parent = place.file.stem if place.member else place.file.absolute().parent.name
    target = folder / parent / place.name
    target.parent.mkdir(parents=True)
    try:
        with place.opened() as stream:
            packed = stream.read(2) == GZIP
        if packed:
            if not place.name.lower().endswith(".gz"):
                raise Unreadable("it is gzipped, and its name does not say so: let it end in .gz")
            target = target.with_name(target.name[: -len(".gz")])
        with place.opened() as raw, gzip.open(raw) if packed else nullcontext(raw) as stream:
            return _head(stream, stream.read(HEAD_BYTES + 1), target)
    except BROKEN_GZIP as error:
        raise Unreadable(f"broken gzip: {error}") from None
    except OSError as error:
        raise Unreadable(f"can't be opened: {error.strerror or error}") from None


def _head(stream: BinaryIO, data: bytes, target: Path) -> Head:
    if not data:
        raise Unreadable("it is empty")
    if data.startswith(PARQUET):
        return _parquet(data, stream, target)
    if data.startswith(ZIP):
        return Head(target, "xlsx", _whole(data, stream, target), True)
    if data.startswith(STDF):
        return Head(target, "stdf", _whole(data, stream, target), True)
    whole = len(data) <= HEAD_BYTES
    text, encoding = decoded(data[:HEAD_BYTES], whole=whole)
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        if "IEEE-1636" not in text[:65536]:
            raise Unreadable("it is XML or HTML, of which only ATML (IEEE 1636.1) is read")
        return Head(target, "atml", _whole(data, stream, target), True)
    if start[:1] in ("{", "["):
        return _json(start, encoding, target, whole)
    text = text if whole else text[: _last_record_end(text)]
    target.write_bytes(text.encode("utf-8-sig" if encoding == "utf-8" else encoding))
    return Head(target, "csv", len(text.encode()), whole, text.removeprefix("\ufeff"), encoding)


def _whole(data: bytes, stream: BinaryIO, target: Path) -> int:
    """Writes the file, unpacked, and returns its size; raises Unreadable where it is larger than what is tried."""
    with target.open("wb") as plain:
        size = plain.write(data)
        while block := stream.read(HEAD_BYTES):
            size += plain.write(block)
            if size > WHOLE_BYTES:
                raise Unreadable(
                    f"larger than {WHOLE_BYTES >> 20} MB, and only read whole: try a smaller one of its kind"
                )
    return size


def _last_record_end(text: str) -> int:
    """After the last line end outside quotes."""
    end = len(text)
    while (end := text.rfind("\n", 0, end)) > 0:
        if text.count('"', 0, end) % 2 == 0:
            return end + 1
    raise Unreadable(f"not a table: its first {HEAD_BYTES >> 20} MB are one line")


def _parquet(data: bytes, stream: BinaryIO, target: Path) -> Head:
    """Its first batch. A file of its own is read where it lies; a packed one is unpacked first."""
    whole = Path(stream.name) if isinstance(stream, BufferedReader) else target.with_name(f"whole-{target.name}")
    if not whole.exists():
        _whole(data, stream, whole)
    records = next(parquet.read(whole)).records[:MOST_RECORDS]
    pq.write_table(records, target)
    with pq.ParquetFile(whole) as file:
        return Head(target, "parquet", whole.stat().st_size, file.metadata.num_rows == len(records))


def _json(text: str, encoding: str, target: Path, whole: bool) -> Head:
    """JSON lines, an array, or one object: cut after the last whole one."""
    first, _, rest = text.partition("\n")
    lines = text.startswith("{") and bool(rest.strip()) and _parsed(first) is not None
    if lines:
        parts = (text if whole else text[: text.rfind("\n") + 1]).splitlines()
        content = "\n".join(parts)
    else:
        parts = _elements(text)
        content = f"[{','.join(parts)}]"
    record = _parsed(parts[0]) if parts else None
    if not isinstance(record, dict):
        reason = "it is no list of objects" if parts else f"broken, or one value is longer than {HEAD_BYTES >> 20} MB"
        raise Unreadable(f"not a table: JSON, but {reason}")
    target.write_bytes(content.encode(encoding))
    if kind := _equipment(record):
        return Head(target, kind, len(text), whole, content, encoding)
    if len(parts) > 1 and text.startswith("{") and not lines:
        raise Unreadable("not a table: JSON objects over several lines each; expected one a line, or a list of them")
    inside = [key for key, value in record.items() if isinstance(value, list) and isinstance((value or [0])[0], dict)]
    if len(parts) == 1 and inside:
        raise Unreadable(
            f"not a table: one JSON object, whose records are inside {inside[0]!r}; expected a list of them"
        )
    return Head(target, "ndjson" if lines else "json", len(text), whole, content, encoding)


def _parsed(text: str) -> object:
    try:
        return JSON.decode(text)
    except (json.JSONDecodeError, RecursionError):
        return None


def _elements(text: str) -> list[str]:
    """The whole elements of an array, or the one object, as written."""
    at, found = int(text.startswith("[")), []
    while True:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            end = JSON.raw_decode(text, at)[1]
        except (json.JSONDecodeError, RecursionError):
            return found
        found.append(text[at:end])
        at = end


def _equipment(record: dict) -> str | None:
    """The format of test equipment that a JSON document is in."""
    if {"dut_id", "phases"} <= set(record):
        return "openhtf"
    return "wats" if {"pn", "sn", "type"} <= set(record) and {"root", "uur"} & set(record) else None
