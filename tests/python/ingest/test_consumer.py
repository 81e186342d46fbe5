"""What a consumer does with messages, whatever protocol brings them: a connector plays them to it."""

import errno
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from plant_site import Site

from ingest.stream import consumer as module
from ingest.stream import kafka
from ingest.stream.connector import Gap, Message
from ingest.stream.consumer import Consumer
from ingest.stream.landed import Landed
from ingest.stream.landing import Segment
from ingest.stream.status import Status
from pipeline.plant import load_plant

ARRIVED = 1_709_280_001_000_000


class Played:
    """Messages in the order in which they come, a list for each time it is asked."""

    trouble = None

    def __init__(self):
        self.coming: list[list[Message]] = []
        self.acknowledged = 0

    def poll(self, seconds: float) -> list[Message]:
        return self.coming.pop(0) if self.coming else []

    def landed(self) -> None:
        self.acknowledged += 1

    def gaps(self) -> list[Gap]:
        return []

    def backlog(self) -> int | None:
        return None

    def close(self) -> None:
        pass


def message(number: int, offset: int | None = None, *, redelivered: bool = False) -> Message:
    payload = f'{{"sensor_id": "s", "reading_at": "2024-03-01T08:00:{number:02}Z", "value": {number}}}'.encode()
    return Message("t/0", offset, "t", payload, ARRIVED, redelivered=redelivered)


@pytest.fixture
def played(monkeypatch) -> Played:
    played = Played()
    monkeypatch.setattr(kafka, "connect", lambda plant, source, landed: played)
    return played


@pytest.fixture
def consumer(site: Site, played: Played) -> Iterator[Consumer]:
    site.describe({"name": "line", "kind": "kafka", "brokers": "127.0.0.1:1", "topics": ["t"]})
    plant = load_plant(site.folder)
    folder = Landed(site.paths, plant.sources[0]).folder
    folder.mkdir(parents=True)
    told = {"file": folder / "status.json", "status": Status("line"), "stopping": threading.Event(), "say": print}
    with closing(Consumer(plant, plant.sources[0], site.paths, **told)) as consumer:
        yield consumer


def values(site: Site) -> list[float]:
    site.load()
    return sorted(row["value"] for row in site.query("value", "sensor_reading"))


# A message that a broker sends again would be a second reading
def test_what_was_landed_is_left_out_when_it_comes_again(consumer, played, site, monkeypatch):
    played.coming = [
        [message(1, 0), message(2, 1)],
        [message(2, 1), message(3, 2)],
        [message(4), message(5), message(4, redelivered=True)],
    ]
    for _ in range(3):
        consumer.step()
    assert (consumer.status.message_count, consumer.status.repeated_count) == (5, 2)
    monkeypatch.setattr(module, "REMEMBERED", 1)
    played.coming = [[message(6)], [message(6, redelivered=True)], [message(4, redelivered=True)]]
    for _ in range(3):
        consumer.step()
    assert len(consumer.digests) == 1 and consumer.status.repeated_count == 3
    assert values(site) == [1, 2, 3, 4, 4, 5, 6], "one that comes again after so many others is not known any more"


# A clock that was mended would be reported as wrong for as long as the consumer runs
def test_the_skew_is_that_of_the_last_minute(consumer, played, monkeypatch):
    played.coming = [[message(0, 0)], [message(31, 1)]]
    monkeypatch.setattr(module, "SKEW_S", 0)
    for _ in range(2):
        consumer.step()
    consumer.tell(at_once=True)
    assert consumer.status.skew_s == -30


# What can't be written must be neither acknowledged nor forgotten, and told to whoever looks
def test_a_full_disk_is_waited_out(consumer, played, site, monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0)
    append, said, times = Segment.append, [], iter(range(3))

    def full(segment: Segment, pieces) -> None:
        if next(times, None) is not None:
            said.append(consumer.status.trouble)
            raise OSError(errno.ENOSPC, "No space left on device")
        append(segment, pieces)

    monkeypatch.setattr(Segment, "append", full)
    played.coming = [[message(1, 0)]]
    consumer.step()
    assert "No space left on device: make room on the disk of" in said[-1]
    assert consumer.status.trouble is None and played.acknowledged == 1
    assert values(site) == [1]


# Told to stop while the disk is full, it would hang, or acknowledge what is nowhere
def test_a_consumer_that_can_not_write_can_be_stopped(consumer, played, site, monkeypatch):
    def full(segment: Segment, pieces) -> None:
        consumer.stopping.set()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Segment, "append", full)
    played.coming = [[message(1, 0)]]
    consumer.run()
    assert played.acknowledged == 0 and not consumer.status.is_running
    assert Path(consumer.file).exists() and values(site) == []
