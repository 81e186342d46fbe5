"""What a connector knows of its gaps: each is told when it begins, and again when it ended."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ingest.stream.connector import Gap


class Absences:
    """Of the streams of one connection. Times are UTC, aware."""

    def __init__(self):
        self.since: dict[str, tuple[datetime, str]] = {}
        self.noted: list[Gap] = []

    def begin(self, streams: Iterable[str], since: datetime, reason: str) -> None:
        """A stream that is away already stays so since it went."""
        for stream in streams:
            if stream not in self.since:
                self.since[stream] = since, reason
                self.noted.append(Gap(stream, since, None, reason, None))

    def end(self, stream: str, lacks: str = "") -> None:
        """`lacks`: why not all that was missed has come; empty when it has, or will."""
        if stream in self.since:
            since, reason = self.since.pop(stream)
            reason = f"{reason}; {lacks}" if lacks else reason
            self.noted.append(Gap(stream, since, datetime.now(UTC), reason, not lacks))

    def taken(self) -> list[Gap]:
        """What was noted since the last call."""
        noted, self.noted = self.noted, []
        return noted


def lost_since(heard_at: datetime, patience_s: float) -> datetime:
    """Up to when a connection is known to have been alive: it may be dead for `patience_s` before that is noticed."""
    return max(heard_at, datetime.now(UTC) - timedelta(seconds=patience_s))
