"""What every protocol is to the consumer: messages that come, and an acknowledgement once they are on the disk.

Each kind of source has a module with `connect(plant, source, landed) -> Connector`.
"""

from datetime import datetime
from typing import NamedTuple, Protocol


class Landed(Protocol):
    """What the disk knows of a source. It is the truth: what a broker or a session remembers is a copy."""

    def positions(self) -> dict[str, int]:
        """The next offset of each stream that was ever landed, loaded since or not; read anew at each call."""

    def received_until(self) -> datetime | None:
        """When a consumer of the source was last running, and without trouble. None: never."""


class Message(NamedTuple):
    """A message as received. What a protocol says beside a plain value (node, times, status) is JSON in `payload`."""

    stream: str
    """What has an order of its own, such as topic/partition; one whose offsets began anew is another stream."""
    offset: int | None
    """Its place in the stream, rising; what was landed before is left out by it. None: the protocol does not count."""
    topic: str
    payload: bytes
    arrived_at: int
    """When it was received, UTC microseconds."""
    server_at: int | None = None
    """When the broker or server took it over, by its clock, UTC microseconds."""
    after: int | None = None
    """The offset before it in the stream, where that is another than offset - 1: there is nothing between them."""
    redelivered: bool = False
    """Without an offset: it may have come before (DUP, a resumed session). It is left out when one of the last messages
    that were landed had this stream, payload and packet."""
    packet: int = 0
    """Without an offset: the number that it has again when it is sent again, but no other of the last messages has."""


class Gap(NamedTuple):
    """A time in which a stream was not received: the table stream_gap. Times are UTC, aware."""

    stream: str
    start_at: datetime
    end_at: datetime | None
    """None: it goes on."""
    reason: str
    is_replayed: bool | None
    """Whether what was sent meanwhile came afterwards. None: not known yet."""
    lost_count: int | None = None


class Connector(Protocol):
    """A connection to one source, used by one thread. It reconnects by itself, for as long as it takes.

    `connect` and `poll` raise Unreachable for what it can't mend by itself; the consumer connects anew after a while.
    """

    trouble: str | None
    """What keeps messages from coming just now, such as a broker that is away, for people. None: nothing."""

    def poll(self, seconds: float) -> list[Message]:
        """What has come, after at most `seconds`; ten thousand messages at most. Empty while nothing comes."""

    def landed(self) -> None:
        """All that `poll` has returned is on the disk: acknowledge it. `poll` is not called again before."""

    def gaps(self) -> list[Gap]:
        """What was noticed since the last call. One that went on is told again, with the same start, when it ended."""

    def backlog(self) -> int | None:
        """Messages that the broker has and we don't, about. None: unknown."""

    def close(self) -> None: ...
