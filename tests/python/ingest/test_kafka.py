"""Live readings from Kafka: the real client and the real protocol, against librdkafka's mock brokers on loopback."""

import json
import random
import resource
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from live_site import TOPIC, LiveSite, reading, until

from bench.kafka_cluster import kafka_cluster
from ingest.stream import landing
from ingest.stream.consumer import consume
from ingest.stream.landed import segments
from pipeline.plant import load_plant

FETCH, LIST_OFFSETS, HEARTBEAT = 1, 2, 12
OFFSET_OUT_OF_RANGE, TOPIC_AUTHORIZATION_FAILED, FENCED_INSTANCE_ID = 1, 29, 82
"""Kafka's numbers of requests and errors."""
MANY = 20_000
"""Messages by which a segment is larger than any other file that the consumer writes."""


@pytest.fixture
def live(site) -> Iterator[LiveSite]:
    with kafka_cluster() as cluster:
        cluster.create(TOPIC, 4)
        yield LiveSite(site, cluster)


# Readings sent while a consumer dies again and again would be missing from the plant's figures, or count twice
def test_each_message_is_in_raw_once_though_the_consumer_is_killed_at_random_moments(live):
    moments = random.Random(7)
    for _ in range(4):
        with live.consumer() as process:
            for _ in range(5):
                live.send(200)
                time.sleep(moments.uniform(0, 0.4))
            if moments.random() < 0.5:
                live.site.load()
            process.kill()
            process.wait()
    with live.consumer():
        until(lambda: live.landed() == live.sent)
    live.site.load()
    assert live.values() == list(range(live.sent))
    assert live.site.load() == []


# A broker that is restarted would leave a hole in the history that nobody can see
def test_what_is_sent_while_the_broker_is_away_arrives_and_the_gap_is_on_record(live):
    with live.consumer():
        live.send(100)
        until(lambda: live.landed() == 100)
        live.cluster.down()
        until(lambda: (live.status().trouble or "").endswith("brokers are down"))
        time.sleep(2)
        live.cluster.up()
        live.send(100)
        until(lambda: live.landed() == 200)
        until(lambda: len([gap for gap in live.status().gaps if gap["is_replayed"]]) == 4)
    live.site.load()
    assert live.values() == list(range(200))
    noted = [(gap["stream"], gap["reason"], gap["is_replayed"], gap["gap_end_at"] is None) for gap in live.gaps()]
    assert set(noted) == {
        (f"{TOPIC}/{number}", "broker away", replayed, is_open)
        for number in range(4)
        for replayed, is_open in ((None, True), (True, False))
    }


# On a full disk a consumer that goes on acknowledging loses everything that comes until somebody notices
def test_a_full_disk_is_waited_out_and_nothing_is_lost(live):
    with live.consumer() as process:
        live.send(MANY)
        until(lambda: live.landed() == MANY)
        (segment,) = segments(live.folder)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (segment.stat().st_size + 1000, resource.RLIM_INFINITY))
        live.send(2000)
        until(lambda: live.status().trouble)
        assert "can't be written: File too large: make room on the disk of" in live.status().trouble
        assert live.landed() < live.sent
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        until(lambda: live.landed() == live.sent)
        until(lambda: live.status().trouble is None)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (segment.stat().st_size + 1000, resource.RLIM_INFINITY))
        live.send(2000)
        until(lambda: live.status().trouble)
    assert live.landed() < live.sent, "told to stop, it stops, and has acknowledged nothing"
    with live.consumer():
        until(lambda: live.landed() == live.sent)
    live.site.load()
    assert live.values() == list(range(live.sent))


# Segments that are never closed would stay on the disk for ever
def test_a_segment_is_closed_when_it_is_old_enough(live, monkeypatch):
    monkeypatch.setattr(landing, "ROLL_S", 0)
    plant, stopping = load_plant(live.site.folder), threading.Event()
    told = {"stopping": stopping, "say": print}
    thread = threading.Thread(target=consume, args=[plant, plant.sources[0], live.site.paths], kwargs=told)
    thread.start()
    for _ in range(2):
        live.send(10)
        until(lambda: live.landed() == live.sent)
    assert len(segments(live.folder)) > 1
    stopping.set()
    thread.join()
    live.site.load()
    assert (live.values(), segments(live.folder)) == (list(range(20)), [])


# While one consumer is down for repair its part of the plant would not be watched
def test_of_two_consumers_the_other_takes_over_when_one_is_killed(live):
    with live.consumer(), live.consumer() as second:
        until(lambda: len(list(live.folder.glob("status*.json"))) == 2)
        live.send(500)
        until(lambda: live.landed() == 500)
        live.send(500)
        second.kill()
        live.send(500)
        until(lambda: live.landed() == live.sent)
    live.site.load()
    assert live.values() == list(range(live.sent))
    assert not list(live.folder.glob("2*")), "what is loaded and closed is removed"


# A consumer that was stopped for a while, and wakes up when another has its partitions, would land them a second time
def test_a_consumer_that_slept_through_its_session_makes_no_duplicates(live):
    with live.consumer() as first:
        live.send(300)
        until(lambda: live.landed() == 300)
        first.send_signal(signal.SIGSTOP)
        live.send(300)
        with live.consumer():
            until(lambda: live.landed() == 600)
            live.site.load()
            first.send_signal(signal.SIGCONT)
            live.send(300)
            until(lambda: live.landed() == 900)
    live.site.load()
    assert live.values() == list(range(900))


# A load that is killed between its commit and the removal of the segment would be repeated
def test_a_load_that_is_killed_at_any_moment_leaves_each_message_in_raw_once(live):
    moments = random.Random(3)
    with live.consumer():
        for _ in range(4):
            live.send(300)
            until(lambda: live.landed() == live.sent)
            with live.load_process() as process:
                time.sleep(moments.uniform(0.5, 2.5))
                process.kill()
    live.site.load()
    assert live.values() == list(range(live.sent))


# Without it nobody knows that a device sends what can't be read, or which message it was
def test_what_can_not_be_read_is_rejected_once_with_what_was_received(live):
    hostile = [
        b"\xff\xfe",
        b"{",
        b'{"sensor_id": "s1"}',
        b'{"sensor_id": "s1", "reading_at": "soon", "value": "=1+1"}',
        None,
    ]
    with live.consumer():
        for payload in hostile:
            live.send_raw(payload)
        live.send(10)
        until(lambda: live.landed() == 15)
        until(lambda: live.status().reject_count == 5)
    (load,) = live.site.load()
    assert (load.row_count, load.reject_count) == (10, 5)
    reasons = {reason for _, _, reason in live.site.rejects()}
    assert {
        "the payload is not UTF-8 text",
        "the payload is not JSON",
        "reading_at is missing; value or status is missing",
    } < reasons
    assert {"topic": TOPIC, "payload": "{"} in [record for _, record, _ in live.site.rejects()]


# A limit that is passed has to be seen now, not in the morning
def test_a_reading_beyond_its_limits_is_an_alert_before_it_is_loaded(live):
    sensors = live.site.folder / "sensors.csv"
    sensors.write_text("sensor_id,machine_id,unit,lower_limit,upper_limit\ns1,press,°C,5,\ns2,,,,\n")
    with live.consumer():
        live.send(3)
        until(lambda: live.status().violation_count)
        sensors.write_text("sensor_id,upper_limit\ns4,3\n")
        time.sleep(6)
        live.send(7)
        until(lambda: live.status().violation_count == 2)
        live.send_raw(json.dumps(reading(104, status="Bad")).encode())
        until(lambda: live.landed() == 11)
        sensors.write_text("name\ns4\n")
        time.sleep(6)
        live.send(1)
        until(lambda: (live.status().trouble or "").startswith("sensors.csv: the required columns sensor_id"))
    assert [(it["sensor_id"], it["value"], it["lower_limit"], it["upper_limit"]) for it in live.alerts()] == [
        ("s1", 1.0, 5.0, None),
        ("s4", 4.0, None, 3.0),
    ]
    first = live.alerts()[0]
    assert (first["machine_id"], first["unit"], first["source"]) == ("press", "°C", "line")
    assert first["stream"].startswith(f"{TOPIC}/") and first["offset"] >= 0
    assert first["reading_at"] == "2024-03-01T08:00:01.000000Z"


# Records that the broker dropped before they were read, or a topic that was made anew, would be a hole without a trace
def test_offsets_that_the_broker_no_longer_has_are_a_gap_on_record(live):
    with live.consumer():
        live.send(100)
        until(lambda: live.landed() == 100)
    with kafka_cluster() as other:
        other.create(TOPIC, 4)
        anew = LiveSite(live.site, other, sent=100)
        with anew.consumer():
            anew.send(10)
            until(lambda: anew.landed() == 110)
            until(lambda: anew.status().gaps)
    live.site.load()
    assert live.values() == list(range(110))
    assert {gap["reason"] for gap in live.gaps()} >= {"topic made anew: its offsets begin again"}


# A consumer that is told to take what it can't use has to say so, not to wait for ever
def test_settings_that_kafka_does_not_know_are_named(live):
    live.describe(settings={"securty.protocol": "SSL"})
    with live.consumer():
        assert 'No such configuration property: "securty.protocol"; check settings' in live.status().trouble
    live.describe(settings={"auto.offset.reset": "middle"})
    with live.consumer():
        until(lambda: "auto.offset.reset: expected earliest or latest" in live.status().trouble)


# Readings that a broker deleted before anybody had read them are lost: that has to be known, and how many
def test_what_the_broker_deleted_before_it_was_read_is_a_gap_with_its_number(live):
    with live.consumer():
        live.send(8)
        until(lambda: live.landed() == 8)
    for _ in range(80):  # the mock keeps 5 MB of a partition
        live.producer.produce(TOPIC, b"x" * 100_000, partition=0)
    live.flush()
    with live.consumer():
        until(lambda: live.status().backlog == 0 and live.status().reject_count)
    live.site.load()
    (gap,) = [gap for gap in live.gaps() if gap["reason"] == "deleted before it was read"]
    assert (gap["stream"], gap["is_replayed"]) == (f"{TOPIC}/0", False)
    assert gap["lost_count"] + live.status().reject_count == 80


# Who only wants to know what happens from now on would wait for years of history first
def test_a_new_group_begins_where_it_is_told_to(live):
    live.send(20)
    live.describe(settings={"auto.offset.reset": "latest"})
    with live.consumer():
        until(lambda: live.status().backlog == 0)
        live.send(10)
        until(lambda: live.status().record_count == 10)
    live.site.load()
    assert live.values() == list(range(20, 30))


# Somebody has to be told that the broker lets us no longer read, and it has to go on when it does
def test_what_the_broker_refuses_is_told_until_it_no_longer_does(live):
    live.cluster.refuse(FETCH, *[TOPIC_AUTHORIZATION_FAILED] * 4)
    with live.consumer():
        until(lambda: "Topic authorization failed" in (live.status().trouble or ""))
        live.send(10)
        until(lambda: live.landed() == 10)
        until(lambda: live.status().trouble is None)
        live.cluster.refuse(LIST_OFFSETS, TOPIC_AUTHORIZATION_FAILED)
        live.cluster.refuse(FETCH, OFFSET_OUT_OF_RANGE)
        live.send(10)
        until(lambda: live.landed() == 20)
    live.site.load()
    assert live.values() == list(range(20))


# A consumer whose place in the group another one has taken would be silent for ever
def test_a_consumer_that_the_group_has_thrown_out_joins_it_again(live):
    live.describe(settings={"group.instance.id": "one", "session.timeout.ms": 3000, "heartbeat.interval.ms": 200})
    with live.consumer() as process:
        live.send(10)
        until(lambda: live.landed() == 10)
        live.cluster.refuse(HEARTBEAT, FENCED_INSTANCE_ID)
        until(lambda: "next attempt in" in process.stderr.readline())
        assert "Fatal" in live.status().trouble
