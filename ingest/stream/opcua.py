"""OPC UA: variables of a server, by subscription; what was missed is read from the server's history where it has one.

A stream is a variable by its name in plant.yml, and its offset the source's timestamp of a value, in microseconds. A
value that is not newer than the last one has no offset. All runs in the thread that polls, and in nobody else's time.
"""

import asyncio
import json
import math
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from asyncua import ua

from ingest.source import Unreachable
from ingest.stream.absences import Absences, lost_since
from ingest.stream.connector import Gap, Landed, Message
from ingest.stream.opcua_session import CHECK_S, FOR_GOOD, PASSING, Session, said
from pipeline.plant import Plant
from pipeline.streams import OpcuaSource

MOST = 10_000
MOST_REPLAYED = 300_000
"""Values of the history that wait to be landed."""
PATIENCE_S = (0.5, 30.0)
"""Between two attempts to connect: at first, and at most; of the latter, too, to find a variable that was not there."""
OVERFLOW = 0x480
"""Bits of a status: it is of a data value, and some before it are lost."""
CODE = 0xFFFF0000
"""Bits of a status that are its code."""
STATES = ("good", "uncertain", "bad", "bad")
"""By the two highest bits of a status."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def connect(plant: Plant, source: OpcuaSource, landed: Landed) -> "Opcua":
    return Opcua(plant, source, landed)


class Opcua:
    """See `ingest.stream.connector.Connector`."""

    def __init__(self, plant: Plant, source: OpcuaSource, landed: Landed):
        self.plant = plant
        self.source = source
        self.last = {stream: offset - 1 for stream, offset in landed.positions().items()}
        self.came: deque[Message] = deque()
        self.session: Session | None = None
        self.first: set[str] = set()
        """Variables whose next notification is of the value that they had when we subscribed."""
        self.newest: dict[str, bytes] = {}
        """The last payload of each."""
        self.replayed: dict[str, set[int]] = {}
        """Offsets that came from the history: they are notified, too."""
        self.waiting: list[tuple[str, ua.DataValue]] = []
        """What came behind a gap whose history is not read yet: the last value stays the one before it."""
        self.trouble: str | None = "not connected yet"
        self.patience_s, self.retry_at = PATIENCE_S[0], 0.0
        self.absences = Absences()
        self.loop = asyncio.new_event_loop()
        if (until := landed.received_until()) is not None:
            self.absences.begin(source.nodes, until, "not running")

    def poll(self, seconds: float) -> list[Message]:
        self.loop.run_until_complete(self._gather(seconds))
        return [self.came.popleft() for _ in range(min(MOST, len(self.came)))]

    def landed(self) -> None:
        """The server keeps nothing for us that could be acknowledged."""

    def gaps(self) -> list[Gap]:
        return self.absences.taken()

    def backlog(self) -> int | None:
        return None

    def close(self) -> None:
        if self.session:
            self.loop.run_until_complete(self.session.close())
        self.loop.close()

    async def _gather(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.came and (left := until - time.monotonic()) > 0:
            if self.session is None:
                await self._connect(left)
            else:
                await self._listen(self.session, left)

    async def _connect(self, seconds: float) -> None:
        """One attempt, when it is time for it. Raises Unreachable."""
        if (wait := self.retry_at - time.monotonic()) > 0:
            await asyncio.sleep(min(wait, seconds))
            return
        session = Session(self.plant, self.source)
        try:
            await session.open()
            await self._subscribe(session)
        except FOR_GOOD as error:
            await session.close()
            reason = f"refused by the server: {said(error)}; check user, password and security in plant.yml"
            raise Unreachable(self.source.url, reason) from None
        except PASSING as error:
            session.end(f"can't be reached: {said(error)}")
            await self._lose(session)
        else:
            self.session, self.trouble = session, None

    async def _listen(self, session: Session, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(session.stirred.wait(), seconds)
        try:
            for name, value in session.taken():
                self._receive(name, value)
                if self._waits(name):
                    await self._replay(session, name)
            if session.lacks(self.source.nodes) and time.monotonic() > session.asked_at + PATIENCE_S[1]:
                await self._subscribe(session)
        except PASSING as error:
            session.end(said(error))
        if session.why_lost:
            await self._lose(session)

    async def _lose(self, session: Session) -> None:
        held = self.session is session and time.monotonic() - session.opened_at > PATIENCE_S[1]
        self.patience_s = PATIENCE_S[0] if held else self.patience_s
        self.retry_at = time.monotonic() + self.patience_s
        self.patience_s = min(2 * self.patience_s, PATIENCE_S[1])
        for name, value in session.taken():
            self._receive(name, value)
        self.session, self.trouble = None, session.why_lost
        self.absences.begin(self.source.nodes, lost_since(session.heard_at, 2 * CHECK_S), session.why_lost)
        self.replayed.clear()
        await session.close()

    async def _subscribe(self, session: Session) -> None:
        """To all variables that we have not yet. One that the server has not is a gap until it has."""
        for name, problem in (await session.subscribe(self.source.nodes)).items():
            if problem:
                self.absences.begin([name], datetime.now(UTC), f"the server has no such variable: {problem}")
            else:
                self.first.add(name)
                if name in self.absences.since:
                    await self._replay(session, name)

    async def _replay(self, session: Session, name: str) -> None:
        """Reads what was missed from the history, which is whole when it has the last value that we have, too."""
        last = self.last.get(name)
        start = self.absences.since[name][0] if last is None else EPOCH + last * MICROSECOND
        room = MOST_REPLAYED - len(self.came)
        values = await session.history(name, start, room) if self.source.history else []
        known = [offset for value in values if (offset := _offset(value)) is not None]
        whole = last is not None and bool(known) and min(known) <= last
        for value in values:
            offset = _offset(value)
            if offset is not None and (last is None or offset > last):
                self.replayed.setdefault(name, set()).add(offset)
                self._take(name, offset, value)
        lacks = "" if whole else "the server has no history of it"
        self.absences.end(name, "its history is too long to be read at once" if len(values) > room else lacks)
        mine = [value for other, value in self.waiting if other == name]
        self.waiting = [(other, value) for other, value in self.waiting if other != name]
        for value in mine:
            self._keep(name, value)

    def _receive(self, name: str, value: ua.DataValue) -> None:
        if _code(value) & OVERFLOW == OVERFLOW and name in self.last:
            since = EPOCH + self.last[name] * MICROSECOND
            self.absences.begin([name], since, "the server's queue for it ran over")
            self.waiting.append((name, value))
        elif self._waits(name):
            self.waiting.append((name, value))
        else:
            self._keep(name, value)

    def _waits(self, name: str) -> bool:
        return any(other == name for other, _ in self.waiting)

    def _keep(self, name: str, value: ua.DataValue) -> None:
        """Unless we have it."""
        is_first = name in self.first
        self.first.discard(name)
        offset = _offset(value)
        is_last = offset is not None and offset == self.last.get(name)
        is_same = is_first or self.newest.get(name) == _payload(name, offset, value)
        if not (is_last and is_same) and offset not in self.replayed.get(name, ()):
            self._take(name, offset, value)

    def _take(self, name: str, offset: int | None, value: ua.DataValue) -> None:
        last, payload = self.last.get(name), _payload(name, offset, value)
        is_newer = offset is not None and (last is None or offset > last)
        if is_newer:
            self.last[name], self.newest[name] = offset, payload
        now, server = time.time_ns() // 1000, _microseconds(value.ServerTimestamp)
        place, after = (offset, last) if is_newer else (None, None)
        self.came.append(Message(name, place, name, payload, now, server, after))


def _offset(value: ua.DataValue) -> int | None:
    source = _microseconds(value.SourceTimestamp)
    return _microseconds(value.ServerTimestamp) if source is None else source


def _code(value: ua.DataValue) -> int:
    return value.StatusCode.value if value.StatusCode else 0


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


def _payload(name: str, offset: int | None, value: ua.DataValue) -> bytes:
    """What the server said, as JSON with names of sensor_reading; a value that is no number is as it is."""
    content = value.Value.Value if value.Value else None
    code = _code(value)
    state = STATES[code >> 30]
    if isinstance(content, bool):
        content = int(content)
    if isinstance(content, float) and not math.isfinite(content) and state != "good":
        content = None
    fields = {"sensor_id": name, "value": content, "status": state, "status_code": ua.StatusCode(code & CODE).name}
    if offset is not None:
        fields["reading_at"] = (EPOCH + offset * MICROSECOND).isoformat()
    return json.dumps(fields, ensure_ascii=False, default=str).encode()
