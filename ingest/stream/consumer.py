"""The consumer of one live source: messages in, checked, on the disk, acknowledged; for as long as it is let.

What keeps it from writing (a full disk) or from receiving (a broker that is away) it waits out: nothing is acknowledged
that is not on the disk, so nothing is lost that the protocol keeps for us.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingest.contract import CONTRACTS
from ingest.source import Reading, Unreachable
from ingest.stream import alerts
from ingest.stream.checks import Checked, Checks, digest
from ingest.stream.connector import Connector, Gap, Message
from ingest.stream.landed import REMEMBERED, Landed
from ingest.stream.landing import Piece, Segment
from ingest.stream.status import Status, status_file, statuses
from pipeline.paths import Paths
from pipeline.plant import Plant
from pipeline.screen import printable
from pipeline.streams import GAPS, StreamSource

POLL_S = 0.1
STATUS_S = 2.0
RETRY_S = 1.0
RECONNECT_S = 30.0
SKEW_S = 60.0
SHOWN_GAPS = 20

Say = Callable[[str], None]


class _Stopped(Exception):
    """It was asked to stop while it could not write: what it has is not acknowledged, and comes again."""


def consume(plant: Plant, source: StreamSource, paths: Paths, *, stopping: threading.Event, say: Say) -> None:
    """Runs until `stopping` is set. A line is said of each change for the worse or the better."""
    landed = Landed(paths, source)
    with status_file(landed.folder) as file:
        gaps = _left_open(file)
        while not stopping.is_set():
            status = Status(source.name, received_until=landed.received_until())
            try:
                consumer = Consumer(plant, source, paths, file=file, status=status, stopping=stopping, say=say)
                with closing(consumer):
                    consumer.note(gaps)
                    gaps = []
                    consumer.run()
            except Unreachable as error:
                status.trouble = f"{error.place}: {error}"
                status.write(file)
                gaps += _left_open(file)
                say(f"{source.name}: {status.trouble}; next attempt in {RECONNECT_S:g} s")
                stopping.wait(RECONNECT_S)


def _left_open(file: Path) -> list[Gap]:
    """The gaps that the consumer before us, which had this status file, did not live to see the end of."""
    last: dict[tuple[str, str], dict] = {}
    for status in statuses(file.parent, file.name):
        last |= {(gap["stream"], gap["gap_start_at"]): gap for gap in status.gaps}
    return [
        Gap(it["stream"], datetime.fromisoformat(it["gap_start_at"]), datetime.now(UTC), it["reason"], None)
        for it in last.values()
        if it["gap_end_at"] is None
    ]


class Consumer:
    """With a connection of its own. `close` it after use. Raises Unreachable, as `run` does."""

    def __init__(
        self,
        plant: Plant,
        source: StreamSource,
        paths: Paths,
        *,
        file: Path,
        status: Status,
        stopping: threading.Event,
        say: Say,
    ):
        self.source, self.paths, self.file, self.status = source, paths, file, status
        self.stopping, self.told = stopping, 0.0
        self.say: Say = lambda text: say(printable(text))
        self.landed = Landed(paths, source)
        self.checks = Checks(plant, source, paths)
        self.segment: Segment | None = None
        self.expected = self.landed.positions()
        self.digests = dict.fromkeys(self.landed.digests())
        self.delays: deque[tuple[float, np.ndarray]] = deque()
        protocol = import_module(f"ingest.stream.{source.kind}")  # each brings a library of its own
        self.connector: Connector = protocol.connect(plant, source, self.landed)

    def close(self) -> None:
        self.connector.close()
        self.checks.close()
        if self.segment:
            self.segment.close()

    def run(self) -> None:
        with suppress(_Stopped):
            while not self.stopping.is_set():
                self.step()
                self.tell()
        self.status.is_running = False
        self.tell(at_once=True)

    def tell(self, *, at_once: bool = False) -> None:
        """Writes the status, every few seconds."""
        if at_once or time.monotonic() - self.told > STATUS_S:
            self.told = time.monotonic()
            self.status.backlog = self.connector.backlog()
            if delays := [delays for _, delays in self.delays if len(delays)]:
                self.status.skew_s = round(float(np.median(np.concatenate(delays))), 3)
            self.status.write(self.file)

    def step(self) -> None:
        """What has come: all of it is on the disk before any of it is acknowledged."""
        messages = self._new(self.connector.poll(POLL_S))
        if messages:
            self._land(self.checks.check(messages))
        self.connector.landed()
        self.note(self.connector.gaps())
        if self.connector.trouble is None:
            self.status.received_until = datetime.now(UTC)
        self._complain(self.connector.trouble or self.checks.limits.trouble)

    def _new(self, messages: list[Message]) -> list[Message]:
        """Without those that were landed before."""
        new = []
        for message in messages:
            if message.offset is None:
                key = digest(message)
                if message.redelivered and key in self.digests:
                    continue
                self.digests[key] = None
            elif message.offset < self.expected.get(message.stream, 0):
                continue
            else:
                self.expected[message.stream] = message.offset + 1
            new.append(message)
        while len(self.digests) > REMEMBERED:
            del self.digests[next(iter(self.digests))]
        self.status.message_count += len(new)
        self.status.repeated_count += len(messages) - len(new)
        return new

    def _land(self, checked: Checked) -> None:
        self._write(lambda: alerts.write(self.paths.alerts, checked.alerts))
        self._write(lambda: self._append(checked.piece))
        now, status = time.monotonic(), self.status
        status.received_at = datetime.now(UTC)
        status.record_count += len(checked.piece.records)
        status.violation_count += len(checked.alerts)
        status.future_count += checked.future_count
        status.old_count += checked.old_count
        status.offsets |= {stream: spans[-1][1] for stream, spans in checked.piece.ranges.items()}
        if checked.reasons:
            if not status.reject_count:
                self.say(f"{self.source.name}: rejected: {checked.reasons[-1]}")
            status.reject_count += len(checked.reasons)
            status.reject_reason = checked.reasons[-1]
        self.delays.append((now, checked.delays_s))
        while self.delays[0][0] < now - SKEW_S:
            self.delays.popleft()

    def _append(self, piece: Piece) -> None:
        if self.segment and self.segment.is_due:
            self.segment.close()
            self.segment = None
        if self.segment is None:
            readings = {self.source.table: self.checks.reading, GAPS: Reading(timezone="UTC")}
            self.segment = Segment(self.landed.folder, readings)
        self.segment.append([piece])

    def _write(self, write: Callable[[], None]) -> None:
        """Until it succeeds. Raises _Stopped."""
        while True:
            try:
                write()
            except OSError as error:
                self._complain(f"can't be written: {error.strerror}: make room on the disk of {self.paths.data}")
            else:
                return
            self.tell()
            if self.stopping.wait(RETRY_S):
                raise _Stopped

    def _complain(self, trouble: str | None) -> None:
        if trouble != self.status.trouble:
            self.status.trouble = trouble
            self.tell(at_once=True)
            self.say(f"{self.source.name}: {trouble or 'goes on'}")

    def note(self, gaps: list[Gap]) -> None:
        """As records of the table stream_gap."""
        if not gaps:
            return
        rows = [
            {
                "source": self.source.name,
                "stream": gap.stream,
                "gap_start_at": gap.start_at,
                "gap_end_at": gap.end_at,
                "reason": gap.reason,
                "is_replayed": gap.is_replayed,
                "lost_count": gap.lost_count,
                "noted_at": datetime.now(UTC),
            }
            for gap in gaps
        ]
        records = pa.Table.from_pylist(rows, schema=GAP_SCHEMA)
        streams = [gap.stream for gap in gaps]
        self._write(lambda: self._append(Piece(GAPS, records, streams, [-1] * len(rows), [], {}, [])))
        self.status.gaps = _shown(self.status.gaps + rows)
        for reason in dict.fromkeys(row["reason"] for row in rows if not row["is_replayed"]):
            first, *others = (row["stream"] for row in rows if row["reason"] == reason and not row["is_replayed"])
            others = f" and {len(others):,} more" if others else ""
            self.say(f"{self.source.name}: gap of {first}{others}: {reason}")


def _shown(gaps: list[dict]) -> list[dict]:
    """The last ones, and all that go on."""
    ended = {(gap["stream"], gap["gap_start_at"]) for gap in gaps if gap["gap_end_at"]}
    older, last = gaps[:-SHOWN_GAPS], gaps[-SHOWN_GAPS:]
    return [gap for gap in older if (gap["stream"], gap["gap_start_at"]) not in ended] + last


KINDS = {"timestamp": pa.timestamp("us", "UTC")}
GAP_SCHEMA = pa.schema(
    (name, KINDS[column.type] if column.type in KINDS else CONTRACTS[GAPS].schema.field(name).type)
    for name, column in CONTRACTS[GAPS].columns.items()
)
