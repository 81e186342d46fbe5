"""Frames: what a segment is made of. Each is there whole and checked, or not at all, however its writer ended.

A segment begins with a marker of its own, 16 random bytes; so does each frame in it, followed by the lengths and
checksums of header and body. Nothing that a message holds can pass for a frame, since nobody knows the marker before.
"""

import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

MARKER = 16
HEAD = struct.Struct("<QQII")


class Frame(NamedTuple):
    """Whole and checked. `start` and `end` are its place in the file, bytes."""

    start: int
    end: int
    header: dict
    body: bytes


class Damage(NamedTuple):
    """Bytes between whole frames that are none: a disk's fault. What a killed writer leaves has no frame behind it."""

    start: int
    end: int


def new_marker() -> bytes:
    return os.urandom(MARKER)


def packed(marker: bytes, header: dict, body: bytes) -> bytes:
    head = json.dumps(header, separators=(",", ":")).encode()
    return marker + HEAD.pack(len(head), len(body), zlib.crc32(head), zlib.crc32(body)) + head + body


def read(file: Path, start: int = 0) -> Iterator[Frame | Damage]:
    """The whole frames of a segment from a place between frames on; 0 is the first. Ends at what is not whole."""
    with file.open("rb") as stream:
        marker = stream.read(MARKER)
        at = max(start, MARKER)
        while len(marker) == MARKER:
            frame = _frame(stream, marker, at)
            if frame is None:
                behind = _next(stream, marker, at + 1)
                if behind is None:
                    return
                frame = _frame(stream, marker, at)  # it may have been finished just now
                if frame is None:
                    yield Damage(at, behind.start)
                    frame = behind
            yield frame
            at = frame.end


def _frame(stream: BinaryIO, marker: bytes, at: int) -> Frame | None:
    stream.seek(at)
    head = stream.read(MARKER + HEAD.size)
    if len(head) < MARKER + HEAD.size or not head.startswith(marker):
        return None
    header_size, body_size, header_sum, body_sum = HEAD.unpack_from(head, MARKER)
    end = at + len(head) + header_size + body_size
    if end > os.fstat(stream.fileno()).st_size:
        return None
    header, body = stream.read(header_size), stream.read(body_size)
    if zlib.crc32(header) != header_sum or zlib.crc32(body) != body_sum:
        return None
    return Frame(at, end, json.loads(header), body)


def _next(stream: BinaryIO, marker: bytes, start: int) -> Frame | None:
    """The first whole frame from `start` on."""
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while (start := content.find(marker, start)) >= 0:
            if frame := _frame(stream, marker, start):
                return frame
            start += 1
    return None
