"""Kafka: topics of a cluster, by librdkafka.

A stream is `topic/partition`. Where a partition is read from is told by the disk alone; offsets are committed for the
group's own monitoring, and for a consumer that finds nothing of a partition on its disk. A topic that was made anew
counts from 0 again: its partitions are streams of another name, `topic/partition@1`.
"""

import logging
import math
import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from confluent_kafka import (
    OFFSET_STORED,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka import Message as Received

from ingest.source import Unreachable
from ingest.stream.connector import Gap, Landed, Message
from pipeline.plant import Plant
from pipeline.streams import KafkaSource

PASSING = (KafkaError._TRANSPORT, KafkaError._RESOLVE)
"""One broker is away, and others may be there."""
MOST = 10_000
PROBED_S = 1
BELIEVED_S = 60
"""How long after the broker refused something for the last time it is told as trouble, when nothing comes."""
PATIENCE = timedelta(seconds=5)
"""How long a consumer may be silent before it is noted that nothing was received."""
STREAM = re.compile(r"(?P<topic>.+)/(?P<number>\d+)(?:@(?P<generation>\d+))?")
DEFAULTS = {
    "auto.offset.reset": "earliest",
    "queued.max.messages.kbytes": 65_536,
    "fetch.wait.max.ms": 100,
    "reconnect.backoff.max.ms": 2_000,
    "topic.metadata.refresh.interval.ms": 30_000,
    "session.timeout.ms": 10_000,
}
OURS = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "partition.assignment.strategy": "range",
}
"""What a source's settings can't change, since by it nothing is lost. Where there is no offset, we reset it."""


@dataclass(eq=False)
class Partition:
    """One that is assigned to us."""

    topic: str
    number: int
    generation: int
    offset: int | None
    """The last one received; the broker has nothing between it and the next. None: nothing of it is on the disk."""
    begin: int = OFFSET_STORED
    """Where it is read from as long as there is no such offset."""

    @property
    def stream(self) -> str:
        return f"{self.topic}/{self.number}" + (f"@{self.generation}" if self.generation else "")

    def at(self, offset: int) -> TopicPartition:
        return TopicPartition(self.topic, self.number, offset)

    @property
    def next(self) -> TopicPartition:
        return self.at(self.begin if self.offset is None else self.offset + 1)


@dataclass(eq=False)
class Absence:
    """A time in which a partition was not received. `awaited`: the offset that it has to reach to have caught up."""

    partition: Partition
    start_at: datetime
    reason: str
    end_at: datetime | None = None
    awaited: int | None = None
    is_noted: bool = False

    def gap(self, is_replayed: bool | None) -> Gap:
        return Gap(self.partition.stream, self.start_at, self.end_at, self.reason, is_replayed)


def connect(plant: Plant, source: KafkaSource, landed: Landed) -> "Kafka":
    return Kafka(plant, source, landed)


class Kafka:
    """A member of the source's group."""

    def __init__(self, plant: Plant, source: KafkaSource, landed: Landed):
        self.landed_before = landed
        self.partitions: dict[tuple[str, int], Partition] = {}
        self.absences: list[Absence] = []
        self.noted: list[Gap] = []
        self.away_since: datetime | None = None
        self.probed = self.committed = 0.0
        self.refused = math.inf
        """When the broker last refused something."""
        self.trouble: str | None = "not connected yet"
        self.received_until = landed.received_until()
        self.is_first = True
        self.to_reset: list[Partition] = []
        settings = DEFAULTS | {key: value.get_secret_value() for key, value in source.settings.items()}
        self.begins = settings["auto.offset.reset"]
        group = source.group or f"firstpass-{plant.name}"
        given = {"bootstrap.servers": source.brokers, "group.id": group, "error_cb": self._on_error}
        silent = logging.Logger(__name__)
        silent.addHandler(logging.NullHandler())
        try:
            if self.begins not in ("earliest", "latest"):
                raise ValueError("auto.offset.reset: expected earliest or latest")
            self.consumer = Consumer(settings | OURS | given, logger=silent)
            self.consumer.subscribe(source.topics, on_assign=self._on_assign, on_revoke=self._on_revoke)
        except (KafkaException, ValueError, TypeError) as error:
            said = error.args[0].str() if isinstance(error, KafkaException) else error
            raise Unreachable(source.brokers, f"{said}; check settings and brokers in plant.yml") from None

    def poll(self, seconds: float) -> list[Message]:
        messages = []
        received = self.consumer.consume(MOST, seconds)
        arrived_at = time.time_ns() // 1000
        for one in received:
            if one.error():
                self._on_refusal(one)
                continue
            partition = self.partitions.get((one.topic(), one.partition()))
            offset, before = one.offset(), partition and partition.offset
            if partition is None or (before is not None and offset <= before):
                continue  # of a partition that was taken from us meanwhile
            kind, sent_ms = one.timestamp()
            server_at = sent_ms * 1000 if kind == TIMESTAMP_LOG_APPEND_TIME else None
            content = one.value() or b""
            messages.append(Message(partition.stream, offset, partition.topic, content, arrived_at, server_at, before))
            partition.offset = offset
        if self.to_reset:
            self._reset()
        if messages and self.away_since is None:
            self.trouble, self.refused = None, math.inf
        return messages

    def landed(self) -> None:
        if time.monotonic() - self.committed > PROBED_S:
            self.committed = time.monotonic()
            self._commit(list(self.partitions.values()))

    def gaps(self) -> list[Gap]:
        if (self.absences or self.away_since) and time.monotonic() - self.probed > PROBED_S:
            self.probed = time.monotonic()
            self._probe()
        if time.monotonic() - self.refused > BELIEVED_S:
            self.trouble, self.refused = None, math.inf
        noted, self.noted = self.noted, []
        return noted

    def backlog(self) -> int | None:
        known = 0
        for partition in self.partitions.values():
            low, high = self.consumer.get_watermark_offsets(partition.at(0), cached=True)
            if high < 0:
                return None
            known += max(0, high - max(low, partition.next.offset))
        return known if self.partitions else None

    def close(self) -> None:
        self._commit(list(self.partitions.values()))
        self.consumer.close()

    def _commit(self, partitions: list[Partition]) -> None:
        """What the broker does not take is on the disk all the same."""
        offsets = [it.next for it in partitions if it.offset is not None]
        if offsets:
            with suppress(KafkaException):
                self.consumer.commit(offsets=offsets, asynchronous=True)

    def _on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        positions: dict[tuple[str, int], tuple[int, int]] = {}
        for stream, offset in self.landed_before.positions().items():
            if found := STREAM.fullmatch(stream):
                key = found["topic"], int(found["number"])
                positions[key] = max(positions.get(key, (0, 0)), (int(found["generation"] or 0), offset))
        now, until = datetime.now(UTC), self.received_until
        for one in assigned:
            key = one.topic, one.partition
            generation, offset = positions.get(key, (0, None))
            partition = Partition(*key, generation, None if offset is None else offset - 1)
            self.partitions[key] = partition
            if self.is_first and until and offset is not None and now - until > PATIENCE:
                self.absences.append(Absence(partition, until, "consumer not running", now))
        self.is_first = False
        self.away_since = self.trouble = None
        for absence in list(self.absences):
            mine = self.partitions.get((absence.partition.topic, absence.partition.number))
            if mine is None:  # whoever has it now goes on from where we were
                self.absences.remove(absence)
                self.noted.append(replace(absence, end_at=absence.end_at or now).gap(None))
            else:
                absence.partition = mine
        consumer.assign([partition.next for partition in self.partitions.values()])

    def _on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        """All that was returned of them is on the disk: whoever gets them goes on from there."""
        self.to_reset.clear()
        gone = [self.partitions.pop((one.topic, one.partition), None) for one in revoked]
        self._commit([partition for partition in gone if partition])

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self.away_since is None:
            self.away_since, self.trouble = datetime.now(UTC), f"broker away: {error.str()}"
            self.absences += [Absence(it, self.away_since, "broker away") for it in self.partitions.values()]
        elif error.code() not in PASSING and self.away_since is None:
            self._refused(error)

    def _refused(self, error: KafkaError) -> None:
        self.trouble, self.refused = error.str(), time.monotonic()

    def _probe(self) -> None:
        """Looks whether the brokers are there, and what was missed has come."""
        mine = [absence for absence in self.absences if absence.partition in self.partitions.values()]
        try:
            if not mine:
                self.consumer.list_topics(timeout=1)
            for absence in mine:
                if absence.awaited is None:
                    _, absence.awaited = self.consumer.get_watermark_offsets(absence.partition.at(0), timeout=1)
                    absence.end_at = absence.end_at or datetime.now(UTC)
        except KafkaException:
            for absence in self.absences:
                if absence.end_at is None and not absence.is_noted:
                    absence.is_noted = True
                    self.noted.append(absence.gap(None))
            return
        self.away_since = self.trouble = None
        for absence in mine:
            if absence.partition.offset is None or absence.partition.offset + 1 >= absence.awaited:
                self.absences.remove(absence)
                self.noted.append(absence.gap(True))

    def _on_refusal(self, one: Received) -> None:
        error = one.error()
        if error.code() == KafkaError._FATAL:
            raise Unreachable(one.topic() or "brokers", error.str())
        partition = self.partitions.get((one.topic(), one.partition()))
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE) and partition:
            self.to_reset.append(partition)
        else:
            self._refused(error)

    def _reset(self) -> None:
        """Goes on where it can, where the broker has no offset for us or not the one that is next."""
        try:
            for partition in self.to_reset:
                partition.begin = self._beginning(partition, *self._first_and_next(partition))
                if partition.offset is not None:
                    partition.offset = partition.begin - 1
        except KafkaException as error:
            self._refused(error.args[0])
            return
        self.to_reset.clear()
        self.consumer.assign([partition.next for partition in self.partitions.values()])

    def _first_and_next(self, partition: Partition) -> tuple[int, int]:
        """Of the offsets that the broker has. librdkafka asks for each, and says the second for both when the first is
        refused (tried with 2.16), so that messages would seem deleted: believed is what it says twice."""
        before = None
        while True:
            first, following = self.consumer.get_watermark_offsets(partition.at(0), timeout=1)
            if first == before:
                return first, following
            before = first

    def _beginning(self, partition: Partition, low: int, high: int) -> int:
        if partition.offset is None:
            return high if self.begins == "latest" else low
        first, now = partition.offset + 1, datetime.now(UTC)
        since = self.received_until or now
        if first < low:
            self.noted.append(Gap(partition.stream, since, now, "deleted before it was read", False, low - first))
            return low
        if first > high:
            self.noted.append(Gap(partition.stream, since, now, "topic made anew: its offsets begin again", None))
            partition.generation += 1
            return low
        return first
