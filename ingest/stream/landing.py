"""Landing: what a live source has brought, in segments on the disk, until a load of it is committed.

`<data>/landing/<source>/<segment>`: each is written by one consumer, which holds its lock as long, and is only ever
appended to; a frame is flushed to the disk before its messages are acknowledged. A frame holds the records of a
batch of messages of one table and, by stream, the range of offsets that it covers. Which ranges were loaded stands in
the manifest. So each record counts once, whoever is killed when, and whatever a broker sends twice.
"""

import base64
import fcntl
import os
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ingest.lake import ID_TIME, PART
from ingest.source import Reading
from ingest.stream import frames
from pipeline.disk import flush

SEGMENT = re.compile(r"\d{8}T\d{12}-[0-9a-f]{6}")
ROLL_BYTES = 64 << 20
ROLL_S = 600


class Piece(NamedTuple):
    """The records of one table that a batch of messages held."""

    table: str
    records: pa.Table
    streams: list[str]
    """The stream of each record."""
    offsets: list[int]
    """The offset of each; -1 where the protocol does not count."""
    rejects: list[tuple[str, int, str, str]]
    """Stream, offset, what was received and reason of what did not become a record."""
    ranges: dict[str, list[list[int]]]
    """First and last offset of each range, by stream."""
    digests: list[int]
    """Of the messages without an offset."""


class Segment:
    """A segment being written; it has its name once it is locked and can be read."""

    def __init__(self, folder: Path, readings: dict[str, Reading]):
        """`readings`: by table, how its records are to be read. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{datetime.now(UTC).strftime(ID_TIME)}-{secrets.token_hex(3)}"
        part = file.with_name(file.name + PART)
        self.marker = frames.new_marker()
        self.handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self.size, self.opened, self.is_torn = 0, time.monotonic(), False
        header = {"readings": {table: asdict(reading) for table, reading in readings.items()}}
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX)
            self._write(self.marker + frames.packed(self.marker, header, b""))
            os.rename(part, file)
            flush(folder)
        except OSError:
            part.unlink(missing_ok=True)
            self.close()
            raise

    @property
    def is_due(self) -> bool:
        """Whether it is time for another one."""
        return self.is_torn or self.size >= ROLL_BYTES or time.monotonic() - self.opened >= ROLL_S

    def append(self, pieces: Iterable[Piece]) -> None:
        """All of it is on the disk afterwards; or nothing, and OSError is raised."""
        self._write(b"".join(_packed(self.marker, piece) for piece in pieces))

    def close(self) -> None:
        os.close(self.handle)

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        try:
            while left:
                left = left[os.write(self.handle, left) :]
            os.fsync(self.handle)
        except OSError:
            self.is_torn = True
            os.ftruncate(self.handle, self.size)
            self.is_torn = False
            raise
        self.size += len(content)


def _packed(marker: bytes, piece: Piece) -> bytes:
    records = piece.records.append_column("_stream", pa.array(piece.streams, pa.string()).dictionary_encode())
    records = _ipc(records.append_column("_offset", pa.array(piece.offsets, pa.int64())))
    names = ("_stream", "_offset", "record", "reason")
    columns = zip(*piece.rejects, strict=True) if piece.rejects else [()] * len(names)
    kinds = (pa.string(), pa.int64(), pa.string(), pa.string())
    rejects = pa.table([pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], names=names)
    digests = base64.b64encode(np.array(piece.digests, np.int64).tobytes()).decode()
    header = {
        "at": time.time_ns() // 1000,
        "table": piece.table,
        "ranges": piece.ranges,
        "records": len(records),
        "digests": digests,
    }
    return frames.packed(marker, header, records + (_ipc(rejects) if piece.rejects else b""))


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def unpacked(frame: frames.Frame) -> tuple[pa.Table, pa.Table | None]:
    """Records and rejects of a frame, with `_stream` and `_offset` each."""
    size = frame.header["records"]
    with pa.ipc.open_stream(frame.body[:size]) as records:
        table = records.read_all()
    if size == len(frame.body):
        return table, None
    with pa.ipc.open_stream(frame.body[size:]) as rejects:
        return table, rejects.read_all()
