"""What a member of a Kafka group makes of partitions that come and go, on a connection of its own to mock brokers."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import KafkaError, TopicPartition
from live_site import TOPIC, LiveSite, until

from bench.kafka_cluster import KafkaCluster, kafka_cluster
from ingest.stream import kafka
from ingest.stream.connector import Gap
from ingest.stream.kafka import BELIEVED_S, Kafka
from pipeline.plant import load_plant


class OnDisk:
    """As if two messages of the first partition had been landed an hour ago."""

    def positions(self) -> dict[str, int]:
        return {f"{TOPIC}/0": 2}

    def received_until(self) -> datetime:
        return datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def cluster() -> Iterator[KafkaCluster]:
    with kafka_cluster() as cluster:
        cluster.create(TOPIC, 1)
        yield cluster


@pytest.fixture
def live(site, cluster) -> LiveSite:
    return LiveSite(site, cluster, partitions=1)


@pytest.fixture
def member(live) -> Iterator[Kafka]:
    """With its partition assigned, after three messages were sent."""
    live.send(3)
    plant = load_plant(live.site.folder)
    with closing(Kafka(plant, plant.sources[0], OnDisk())) as member:
        messages = []
        until(lambda: messages.extend(member.poll(0.1)) or messages)
        assert [message.offset for message in messages] == [2]
        yield member


def gaps(member: Kafka) -> list[Gap]:
    member.probed = 0.0
    return member.gaps()


# Nobody would know that for an hour nothing was received
def test_the_time_without_a_consumer_is_a_gap_that_ends_when_it_has_caught_up(member):
    (gap,) = gaps(member)
    assert (gap.stream, gap.reason, gap.is_replayed) == (f"{TOPIC}/0", "consumer not running", True)
    assert timedelta(minutes=59) < gap.end_at - gap.start_at < timedelta(minutes=61)
    assert gaps(member) == []


# A message that another consumer lands, too, would be on the disk twice
def test_what_comes_of_a_partition_that_was_taken_from_us_is_left_out(member, live):
    member.partitions.clear()
    live.send(2)
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        assert member.poll(0.1) == []
    assert member.backlog() is None


# The gap of a partition that another consumer has now would stay open for ever, or be told twice
def test_a_gap_is_told_to_its_end_when_its_partition_is_taken_and_goes_on_when_it_stays(member, cluster):
    gaps(member)
    cluster.down()
    until(lambda: member.poll(0.1) == [] and member.away_since)
    (opened,) = gaps(member)
    assert (opened.reason, opened.end_at) == ("broker away", None)
    assert gaps(member) == [], "it is told once that it is open"
    member._on_assign(member.consumer, [TopicPartition(TOPIC, 0)])
    assert [absence.partition for absence in member.absences] == list(member.partitions.values())
    member._on_revoke(member.consumer, [TopicPartition(TOPIC, 0)])
    member._on_assign(member.consumer, [])
    (closed,) = member.gaps()
    assert (closed.start_at, closed.is_replayed) == (opened.start_at, None) and closed.end_at
    assert member.absences == []


# A consumer without partitions would say for ever that the broker is away
def test_without_partitions_it_looks_whether_the_broker_is_back(member, cluster):
    gaps(member)
    member._on_revoke(member.consumer, [TopicPartition(TOPIC, 0)])
    member._on_assign(member.consumer, [])
    cluster.down()
    until(lambda: member.poll(0.1) == [] and member.away_since)
    assert member.trouble.startswith("broker away")
    cluster.up()
    until(lambda: gaps(member) == [] and member.away_since is None)
    assert member.trouble is None


# What the broker refuses has to be said, and not for ever after it no longer does
def test_a_refusal_is_believed_for_a_while(member):
    gaps(member)
    member._on_error(KafkaError(KafkaError._AUTHENTICATION, "wrong password"))
    assert member.trouble == "wrong password"
    member.gaps()
    assert member.trouble == "wrong password"
    member.refused -= BELIEVED_S + 1
    member.gaps()
    assert member.trouble is None


# A partition whose offset is gone would be forgotten when the broker does not answer just then
def test_an_offset_is_reset_once_the_broker_answers(member, live, cluster, monkeypatch):
    (partition,) = member.partitions.values()
    cluster.down()
    until(lambda: member.poll(0.1) == [] and member.away_since)
    member.to_reset.append(partition)
    member.poll(0.1)
    assert member.to_reset == [partition]
    cluster.up()
    monkeypatch.setattr(kafka, "BELIEVED_S", 0)
    until(lambda: member.poll(0.1) == [] and not member.to_reset)
    live.send(1)
    messages = []
    until(lambda: messages.extend(member.poll(0.1)) or messages)
    assert [message.offset for message in messages] == [3]
