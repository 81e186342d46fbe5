"""What was landed, to the loader: objects, each the frames of one table that a segment got since its last load.

The name of a load says which bytes of which segment it holds, its version which offsets: there is no other note of how
far was loaded, or how far a stream was received. A segment goes when nobody writes it and all of it is loaded.
"""

import base64
import fcntl
import hashlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.lake import PART, Lake, Load, read_manifest
from ingest.source import BATCH_ROWS, Batch, Object, Reading, Reject, Unreadable
from ingest.stream import frames
from ingest.stream.landing import SEGMENT, unpacked
from ingest.stream.status import statuses
from pipeline.paths import Paths
from pipeline.plant import Plant
from pipeline.streams import StreamSource

PLACE = re.compile(rf"(?P<segment>{SEGMENT.pattern}) bytes (?P<begin>\d+)-(?P<end>\d+)")
REMEMBERED = 20_000
"""Digests of messages without an offset: one that a broker sends again is among the last. Fewer than there are packet
ids (65,535), so that an id that is used anew is not taken for the same message."""
KEPT_S = 600
"""How long a segment with such digests stays after it was loaded."""


Spans = dict[str, list[list[int]]]
"""First and last offset of each range, by stream."""


class Ranges:
    """Offsets by stream, as ranges that do not touch."""

    def __init__(self):
        self.spans: Spans = {}

    def add(self, added: Spans) -> None:
        for stream, spans in added.items():
            merged = self.spans.setdefault(stream, [])
            for first, last in spans:
                if not merged or first > merged[-1][1] + 1:
                    merged.append([first, last])
                elif first >= merged[-1][0]:
                    merged[-1][1] = max(last, merged[-1][1])
                else:
                    self.spans[stream] = merged = _merged([*merged, [first, last]])

    def hold(self, streams: pa.ChunkedArray, offsets: pa.ChunkedArray) -> np.ndarray:
        """Whether each offset is among them."""
        held, places = np.zeros(len(offsets), bool), offsets.to_numpy()
        for stream in filter(self.spans.get, pc.unique(streams).to_pylist()):
            spans = np.array(self.spans[stream])
            at = np.searchsorted(spans[:, 0], places, side="right") - 1
            held |= pc.equal(streams, stream).to_numpy() & (at >= 0) & (places <= spans[at, 1])
        return held

    def next_offsets(self) -> dict[str, int]:
        return {stream: spans[-1][1] + 1 for stream, spans in self.spans.items()}


def _merged(spans: list[list[int]]) -> list[list[int]]:
    merged: list[list[int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(last, merged[-1][1])
        else:
            merged.append([first, last])
    return merged


def segments(folder: Path) -> list[Path]:
    """Of a source, oldest first."""
    return sorted(file for file in folder.glob("*") if SEGMENT.fullmatch(file.name))


class Landed:
    """What the disk knows of a source, for its consumers."""

    def __init__(self, paths: Paths, source: StreamSource):
        self.paths = paths
        self.source = source
        self.folder = paths.landing / source.name

    def positions(self) -> dict[str, int]:
        """Segments first: what is loaded and removed meanwhile is in the manifest that is read after."""
        ranges = Ranges()
        for frame in self._frames():
            ranges.add(frame.header.get("ranges", {}))
        for load in read_manifest(self.paths.raw):
            if load.source == self.source.name and PLACE.fullmatch(load.object):
                ranges.add(json.loads(load.version))
        return ranges.next_offsets()

    def digests(self) -> list[int]:
        """Of the last messages without an offset, oldest first."""
        found: list[int] = []
        for frame in self._frames():
            found += np.frombuffer(base64.b64decode(frame.header.get("digests", "")), np.int64).tolist()
        return found[-REMEMBERED:]

    def received_until(self) -> datetime | None:
        return max(filter(None, (it.received_until for it in statuses(self.folder))), default=None)

    def _frames(self) -> Iterator[frames.Frame]:
        for segment in segments(self.folder):
            with suppress(FileNotFoundError):
                yield from (frame for frame in frames.read(segment) if isinstance(frame, frames.Frame))


def find(source: StreamSource, paths: Paths, lake: Lake) -> Iterator[Object]:
    """What the lake has not of a source's segments, oldest first; those that it has whole are removed.

    Each object is loaded before the next is asked for.
    """
    progress = _Progress(source, lake)
    folder = paths.landing / source.name
    found = segments(folder)
    last = next((segment for segment in reversed(found) if _is_remembered(segment)), None)
    for segment in found:
        with segment.open("rb") as file:
            closed = _lock(file)
            yield from progress.objects(paths, segment)
            if closed and progress.is_over(segment, is_last=segment == last):
                segment.unlink()
    for part in folder.glob(f"*{PART}"):
        if _age_s(part) > KEPT_S:
            part.unlink()


def orphans(plant: Plant, lake: Lake) -> list[Load]:
    """What was landed of sources that plant.yml no longer has: a deferred load for each, which says so."""
    names = {source.name for source in plant.sources if isinstance(source, StreamSource)}
    return [
        replace(
            lake.next_load(folder.name, "landing", str(folder), "", ""),
            status="deferred",
            error="was landed by a live source that plant.yml does not have: give one this name, or remove the folder",
        )
        for folder in sorted(lake.paths.landing.glob("*"))
        if folder.name not in names and segments(folder)
    ]


def _lock(file: BinaryIO) -> bool:
    """Takes the lock that the writer of a segment holds as long as it goes on."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_remembered(segment: Path) -> bool:
    """Whether it has digests of messages."""
    return any(isinstance(it, frames.Frame) and it.header.get("digests") for it in frames.read(segment))


def _age_s(file: Path) -> float:
    return time.time() - file.stat().st_mtime


class _Progress:
    """How far a source's segments are loaded."""

    def __init__(self, source: StreamSource, lake: Lake):
        self.source = source
        self.lake = lake
        self.known = Ranges()
        self.ends: dict[tuple[str, str], int] = {}
        """By segment and table the byte up to which it is loaded."""
        for load in lake.loads:
            if load.source == source.name and load.status == "loaded":
                self._add(load)

    def _add(self, load: Load) -> None:
        if place := PLACE.fullmatch(load.object):
            self.known.add(json.loads(load.version))
            key = (place["segment"], load.table_name)
            self.ends[key] = max(int(place["end"]), self.ends.get(key, 0))

    def _is_loaded(self, segment: Path, frame: frames.Frame) -> bool:
        return "table" not in frame.header or frame.end <= self.ends.get((segment.name, frame.header["table"]), 0)

    def is_over(self, segment: Path, *, is_last: bool) -> bool:
        """Whether nobody needs it any more. `is_last`: of those with digests; what a broker may send again after any
        time is in it."""
        if is_last or (_age_s(segment) < KEPT_S and _is_remembered(segment)):
            return False
        whole = (frame for frame in frames.read(segment) if isinstance(frame, frames.Frame))
        return all(self._is_loaded(segment, frame) for frame in whole)

    def objects(self, paths: Paths, segment: Path) -> Iterator[Object]:
        """One for each table that has frames there which are not loaded, and one for each damage."""
        readings: dict[str, Reading] = {}
        new: dict[str, list[frames.Frame]] = {}
        for frame in frames.read(segment):
            if isinstance(frame, frames.Damage):
                yield _damaged(self.source, paths, segment, frame)
            elif "readings" in frame.header:
                readings = {table: Reading(**reading) for table, reading in frame.header["readings"].items()}
            elif not self._is_loaded(segment, frame):
                new.setdefault(frame.header["table"], []).append(frame._replace(body=b""))
        for table, found in new.items():
            begin, end = found[0].start, found[-1].end
            ranges = Ranges()
            for frame in found:
                ranges.add(frame.header["ranges"])
            name = f"{segment.name} bytes {begin}-{end}"
            yield Object(
                source=self.source.name,
                table=table,
                name=name,
                version=json.dumps(ranges.spans),
                digest=partial(_digest, segment, begin, end),
                batches=partial(_batches, segment, table, begin, end, self.known),
                reading=readings[table],
                has_header=False,
            )
            for load in self.lake.loads_of(self.source.name, table, name):
                if load.status == "loaded":
                    self._add(load)


def _digest(segment: Path, begin: int, end: int) -> str:
    with segment.open("rb") as file:
        file.seek(begin)
        return hashlib.sha256(file.read(end - begin)).hexdigest()


def _batches(segment: Path, table: str, begin: int, end: int, known: Ranges) -> Iterator[Batch]:
    """The frames' records but those that are known already; `_row` counts all of them."""
    held: list[Batch] = []
    first = 1
    for frame in frames.read(segment, begin):
        if frame.start >= end:
            break
        if isinstance(frame, frames.Frame) and frame.header["table"] == table:
            held.append(_batch(frame, first, known))
            first += len(held[-1].rows) + len(held[-1].rejects)
            if sum(len(batch.rows) + len(batch.rejects) for batch in held) >= BATCH_ROWS:
                yield _joined(held)
                held = []
    if held:
        yield _joined(held)


def _batch(frame: frames.Frame, first: int, known: Ranges) -> Batch:
    records, refused = unpacked(frame)
    new = ~known.hold(records["_stream"], records["_offset"])
    rows = np.arange(first, first + len(records), dtype=np.int64)[new]
    rejects = []
    if refused:
        refused = refused.filter(pa.array(~known.hold(refused["_stream"], refused["_offset"])))
        rejects = [
            Reject(first + len(records) + number, row["record"], row["reason"])
            for number, row in enumerate(refused.to_pylist())
        ]
    return Batch(records.drop_columns(["_stream", "_offset"]).filter(pa.array(new)), rows, rejects)


def _joined(batches: list[Batch]) -> Batch:
    records = pa.concat_tables([batch.records for batch in batches])
    rows = np.concatenate([batch.rows for batch in batches])
    return Batch(records, rows, [reject for batch in batches for reject in batch.rejects])


def _damaged(source: StreamSource, paths: Paths, segment: Path, damage: frames.Damage) -> Object:
    """Bytes of a segment that can't be read; they are set aside."""

    def refuse() -> str:
        raise Unreadable(f"{damage.end - damage.start} bytes are damaged: look at the disk; what is behind is loaded")

    def set_aside(load_id: str, reason: str) -> None:
        paths.failed.mkdir(parents=True, exist_ok=True)
        kept = paths.failed / f"{load_id}-{segment.name}"
        kept.write_bytes(segment.read_bytes()[damage.start : damage.end])
        kept.with_name(f"{kept.name}.reason.txt").write_text(f"{reason}\n", encoding="utf-8")

    return Object(
        source=source.name,
        table=source.table,
        name=f"{segment.name} damaged bytes {damage.start}-{damage.end}",
        version="{}",
        digest=refuse,
        batches=lambda: iter(()),
        reading=Reading(timezone="UTC"),
        set_aside=set_aside,
    )
