"""What a consumer says of itself: `landing/<source>/status.json`, of a second one beside it status-2.json, and so on.

Written every few seconds, for whoever asks how a stream goes, and for the next consumer, which learns from it since
when nothing was received.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from ingest.lake import PART
from pipeline.screen import printable


@dataclass
class Status:
    """Of one consumer of a source, since it was started. Times are UTC; counts are of messages unless they say else."""

    source: str
    pid: int = field(default_factory=os.getpid)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When this was written."""
    is_running: bool = True
    received_at: datetime | None = None
    """When the last message came."""
    received_until: datetime | None = None
    """Up to when all was well, so that a message would have come."""
    message_count: int = 0
    repeated_count: int = 0
    """Those that had been landed before, and were left out."""
    record_count: int = 0
    reject_count: int = 0
    """Messages and records that are rejected, with the reason of the last one."""
    reject_reason: str | None = None
    violation_count: int = 0
    """Readings beyond their limits."""
    future_count: int = 0
    old_count: int = 0
    """Readings whose time is ahead of their arrival, or long before it: their device's clock can't be trusted."""
    skew_s: float | None = None
    """Median of arrival minus the device's time, over the readings of about the last minute."""
    offsets: dict[str, int] = field(default_factory=dict)
    """The last offset by stream."""
    backlog: int | None = None
    """Messages that the broker has and we don't."""
    gaps: list[dict] = field(default_factory=list)
    """The last ones, as in the table stream_gap."""
    trouble: str | None = None
    """What keeps it from landing anything just now."""

    def write(self, file: Path) -> None:
        """Nobody depends on it: what can't be written, on a full disk, is left."""
        self.at = datetime.now(UTC)
        part = file.with_name(file.name + PART)
        with suppress(OSError):
            part.write_text(json.dumps(asdict(self), default=datetime.isoformat, indent=1) + "\n", encoding="utf-8")
            os.replace(part, file)

    def lines(self) -> list[str]:
        """For people: how it goes, and where each stream is."""
        silent_s = (datetime.now(UTC) - self.at).total_seconds()
        state = "stopped" if not self.is_running else "running" if silent_s < SILENT_S else "gone without a word"
        seen = f"last message {self.received_at:%Y-%m-%d %H:%M:%S} UTC" if self.received_at else "no message yet"
        figures = [
            f"{self.source}: {state} (process {self.pid}), {seen}",
            f"{self.message_count:,} messages, {self.repeated_count:,} again; {self.record_count:,} records, "
            f"{self.reject_count:,} rejected" + (f", the last one: {self.reject_reason}" if self.reject_reason else ""),
            f"{self.violation_count:,} beyond limits, {self.future_count:,} of the future, {self.old_count:,} old",
        ]
        if self.skew_s is not None:
            figures.append(f"arrive {self.skew_s:+.3f} s after their device's time")
        if self.backlog is not None:
            figures.append(f"{self.backlog:,} messages behind the broker")
        figures += [f"{stream}: offset {offset:,}" for stream, offset in sorted(self.offsets.items())]
        for gap in self.gaps:
            ended = f"to {gap['gap_end_at']}" if gap["gap_end_at"] else "and on"
            figures.append(f"gap of {gap['stream']} from {gap['gap_start_at']} {ended}: {gap['reason']}")
        return [printable(line) for line in figures + ([f"trouble: {self.trouble}"] if self.trouble else [])]


SILENT_S = 15
TIMES = ("at", "started_at", "received_at", "received_until")


def statuses(folder: Path, pattern: str = "status*.json") -> list[Status]:
    """Of all consumers that a source ever had side by side."""
    found = []
    for file in sorted(folder.glob(pattern)):
        with suppress(FileNotFoundError, ValueError):  # a loss of power leaves an empty one
            written = json.loads(file.read_text(encoding="utf-8"))
            times = {name: datetime.fromisoformat(written[name]) for name in TIMES if written.get(name)}
            found.append(Status(**{it.name: (written | times)[it.name] for it in fields(Status) if it.name in written}))
    return found


@contextmanager
def status_file(folder: Path) -> Iterator[Path]:
    """The first that no other consumer has."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        file = folder / ("status.json" if number == 1 else f"status-{number}.json")
        with file.with_suffix(".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield file
            return
