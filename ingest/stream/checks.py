"""Messages to what is landed of them, each record checked as it comes, by the loader's own conversion.

What is landed is what was received: the load converts and judges it again, so that a night means what a live view
meant, and rejects are in raw.reject once. What is known at once is for alerts and the consumer's status.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.contract import CONTRACTS
from ingest.conversion import Conversion
from ingest.lake import read_manifest
from ingest.source import Batch
from ingest.sources.files import times_of
from ingest.spellings import Spellings
from ingest.stream.connector import Message
from ingest.stream.landing import Piece
from ingest.stream.limits import MAX_DELAY_S, MAX_SKEW_S, SHOWN, Limits, beyond
from ingest.stream.payload import Payloads, as_received
from pipeline.paths import Paths
from pipeline.plant import Plant
from pipeline.streams import StreamSource

READINGS = "sensor_reading"


@dataclass(frozen=True)
class Checked:
    """A batch of messages: what to land of it, and what a person or a status should know at once."""

    piece: Piece
    reasons: list[str]
    """Of each message or record that is rejected."""
    alerts: list[dict]
    """Readings beyond their limits."""
    delays_s: np.ndarray
    """Of each accepted reading: arrival minus the device's time."""
    future_count: int
    old_count: int


class Checks:
    """Of one source, by what its plant and its lake said when it was made; limits by what sensors.csv says now."""

    def __init__(self, plant: Plant, source: StreamSource, paths: Paths):
        contract = CONTRACTS[source.table]
        self.source = source
        self.payloads = Payloads(source, contract)
        self.reading = replace(times_of(plant, source), columns=self.payloads.columns)
        self.connection = duckdb.connect(config={"memory_limit": "256MB", "threads": "1"})
        self.connection.execute("set timezone = 'UTC'")
        self.limits = Limits(plant, paths, self.connection)
        self.conversion = Conversion(
            self.connection,
            contract,
            self.payloads.decode([]).records.schema,
            self.reading,
            plant_zone=plant.plant.timezone,
            spellings=Spellings.of_lake(paths.raw, read_manifest(paths.raw)),
            started_at=datetime.now(UTC),
        )

    def close(self) -> None:
        self.connection.close()

    def check(self, messages: list[Message]) -> Checked:
        decoded = self.payloads.decode(messages)
        origins = [messages[place] for place in decoded.messages]
        rejected = [(messages[place], reason) for place, reason in decoded.rejects]
        piece = Piece(
            table=self.source.table,
            records=decoded.records,
            streams=[origin.stream for origin in origins],
            offsets=[_offset(origin) for origin in origins],
            rejects=[(it.stream, _offset(it), as_received(it.topic, it.payload), reason) for it, reason in rejected],
            ranges=_ranges(messages),
            digests=[digest(message) for message in messages if message.offset is None],
        )
        converted = self.conversion.convert(Batch(decoded.records, np.arange(len(decoded.records))))
        reasons = [reason for _, reason in rejected] + converted.rejects["reason"].to_pylist()
        if self.source.table != READINGS or not len(converted.records):
            return Checked(piece, reasons, [], np.array([]), 0, 0)
        return self._judged(piece, reasons, converted.records)

    def _judged(self, piece: Piece, reasons: list[str], readings: pa.Table) -> Checked:
        self.limits.look()
        sensors = self.limits.of(readings)
        arrived, taken = (readings[name].cast(pa.int64()).to_numpy() for name in ("arrived_at", "reading_at"))
        delays_s = (arrived - taken) / 1e6
        return Checked(
            piece,
            reasons,
            self._alerts(piece, readings, sensors),
            delays_s,
            int((delays_s < -_or_default(sensors["max_skew_s"], MAX_SKEW_S)).sum()),
            int((delays_s > _or_default(sensors["max_delay_s"], MAX_DELAY_S)).sum()),
        )

    def _alerts(self, piece: Piece, readings: pa.Table, sensors: pa.Table) -> list[dict]:
        trusted = pc.fill_null(pc.not_equal(readings["status"], "bad"), True).to_numpy()
        found = pa.array(np.flatnonzero(beyond(readings["value"], sensors) & trusted))
        of_reading = readings.select(["_row", "sensor_id", "reading_at", "arrived_at", "value", "status"]).take(found)
        of_sensor = sensors.select(SHOWN).take(found)
        alerts = []
        for reading, sensor in zip(of_reading.to_pylist(), of_sensor.to_pylist(), strict=True):
            row = reading.pop("_row")
            origin = {"source": self.source.name, "stream": piece.streams[row], "offset": piece.offsets[row]}
            alerts.append(reading | sensor | origin)
        return alerts


def _offset(message: Message) -> int:
    return -1 if message.offset is None else message.offset


def digest(message: Message) -> int:
    """63 bits of what tells a message without an offset from others."""
    content = f"{message.stream}\0{message.packet}\0".encode() + message.payload
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") >> 1


def _ranges(messages: list[Message]) -> dict[str, list[list[int]]]:
    """The offsets that the messages cover, which are in order within each stream."""
    ranges: dict[str, list[list[int]]] = {}
    for stream, offset, after in ((it.stream, it.offset, it.after) for it in messages if it.offset is not None):
        before = offset - 1 if after is None else after
        spans = ranges.setdefault(stream, [])
        if spans and spans[-1][1] == before:
            spans[-1][1] = offset
        else:
            spans.append([before + 1, offset])
    return ranges


def _or_default(seconds: pa.ChunkedArray, default: float) -> np.ndarray:
    return pc.fill_null(seconds, default).to_numpy()
