"""Live readings from Kafka: the real client and the real protocol, against librdkafka's mock brokers on loopback."""

import random
import time
from collections.abc import Iterator

import pytest
from kafka_cluster import kafka_cluster
from live_site import TOPIC, LiveSite, until


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
