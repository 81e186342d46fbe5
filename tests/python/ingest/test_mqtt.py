"""The MQTT connector against a real broker: what is kept, what comes again, and which gaps are on record."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from certificates import write_certificate
from mosquitto import Broker, expire

from ingest.source import Unreachable
from ingest.stream import mqtt
from ingest.stream.connector import Message
from pipeline.streams import MqttSource

PLANT = SimpleNamespace(name="p1", folder=Path("/"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path / "broker").start()
    yield broker
    broker.kill()


@contextmanager
def connected(broker: Broker, since: datetime | None = None, **source: object) -> Iterator[mqtt.Mqtt]:
    settings = {"name": "live", "kind": "mqtt", "broker": broker.address, "topics": ["plant/#"]} | source
    landed = SimpleNamespace(received_until=lambda: since)
    connector = mqtt.connect(PLANT, MqttSource(**settings), landed)
    try:
        yield connector
    finally:
        connector.close()


def subscribed(connector: mqtt.Mqtt) -> mqtt.Mqtt:
    until = time.monotonic() + 20
    while not connector.is_whole and time.monotonic() < until:
        assert not connector.poll(0.05)
    assert connector.is_whole
    return connector


def polled(connector: mqtt.Mqtt, count: int, *, lands: bool = True) -> list[Message]:
    """At least `count` messages, or what has come after some seconds."""
    found, until = [], time.monotonic() + 20
    while (len(found) < count or not connector.is_whole) and time.monotonic() < until:
        found += connector.poll(0.2)
        if lands:
            connector.landed()
    return found


def numbered(count: int, first: int = 0) -> list[tuple[str, bytes]]:
    return [(f"plant/S{number % 3}", b"%d" % number) for number in range(first, first + count)]


def payloads(messages: list[Message]) -> list[int]:
    return [int(message.payload) for message in messages]


# What was not on the disk when we fell has to come again; what was on it must not.
def test_messages_come_again_until_they_landed(broker: Broker):
    with connected(broker) as connector:
        subscribed(connector)
        broker.publish(*numbered(5))
        first = polled(connector, 5)
        broker.publish(*numbered(5, first=5))
        second = polled(connector, 5, lands=False)
    with connected(broker) as connector:
        again = polled(connector, 5)
        time.sleep(0.2)  # until the broker has read what we acknowledged
    with connected(broker) as connector:
        subscribed(connector)
        assert connector.poll(0.3) == []
    assert (payloads(first), payloads(second), payloads(again)) == ([*range(5)], [*range(5, 10)], [*range(5, 10)])
    assert [message.redelivered for message in first + again] == [False] * 5 + [True] * 5
    assert first[4][:4] == ("plant/S1", None, "plant/S1", b"4")
    assert abs(first[0].arrived_at / 1e6 - time.time()) < 60


# The consumer's own absence: the broker keeps what comes, and the time is on record as made good.
def test_what_is_sent_while_we_are_away_comes_afterwards(broker: Broker):
    with connected(broker) as connector:
        assert subscribed(connector).gaps() == []
    broker.publish(*numbered(50))
    since = datetime.now(UTC) - timedelta(minutes=5)
    with connected(broker, since) as connector:
        assert payloads(polled(connector, 50)) == [*range(50)]
        begun, ended = connector.gaps()
    assert begun[:5] == ("plant/#", since, None, "not running", None)
    assert ended[:2] == ("plant/#", since) and ended.end_at > since and ended[3:5] == ("not running", True)


# A broker that falls and comes back: nothing is lost, and nobody has to restart anything.
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_broker_that_comes_back_goes_on(broker: Broker, end: str):
    with connected(broker) as connector:
        subscribed(connector)
        broker.publish(*numbered(5))
        time.sleep(1.2)  # until the broker has saved its state
        held = polled(connector, 5, lands=False)
        getattr(broker, end)()
        connector.landed()  # on a connection that is dead: the broker has to send them again
        assert connector.poll(1.5) == []
        broker.start()
        again = polled(connector, 5 * (end == "stop"))
        broker.publish(*numbered(5, first=5))
        assert payloads(polled(connector, 5)) == [*range(5, 10)]
        begun, ended = connector.gaps()
    if end == "stop":  # one that is killed knows what it had saved
        assert [(it.payload, it.packet) for it in again] == [(it.payload, it.packet) for it in held]
        assert all(message.redelivered for message in again)
        assert (ended.reason, ended.is_replayed) == ("connection lost", True)
    assert (begun.end_at, begun.is_replayed, begun.reason) == (None, None, "connection lost")
    assert ended.start_at == begun.start_at and ended.end_at > begun.start_at


# An acknowledgement on another connection could be of a message that never landed.
def test_what_an_earlier_connection_brought_is_not_acknowledged_on_this_one(broker: Broker):
    with connected(broker) as connector:
        subscribed(connector)
        broker.publish(*numbered(1))
        polled(connector, 1, lands=False)
        connector.client.socket().shutdown(2)
        until = time.monotonic() + 20
        while (connector.connection, connector.is_whole) != (2, True) and time.monotonic() < until:
            connector._listen(0.1) if connector.is_open else connector._connect(0.1)
        connector.landed()
    with connected(broker) as connector:
        (again,) = polled(connector, 1)
    assert (again.payload, again.redelivered) == (b"0", True)


# Where the broker kept nothing, somebody has to know that readings are missing, and from when to when.
def test_a_session_that_is_gone_is_a_gap(broker: Broker):
    with connected(broker) as connector:
        subscribed(connector)
        broker.forget()
        connector.poll(0.5)
        broker.start()
        subscribed(connector)
        assert [(gap.reason, gap.is_replayed) for gap in connector.gaps()][-1] == (
            "connection lost; the broker had no session of ours",
            False,
        )
    expire(broker, "firstpass-p1-live")
    with connected(broker, datetime.now(UTC)) as connector:
        assert subscribed(connector).gaps()[-1].is_replayed is False


def test_quality_of_service_0_keeps_nothing(broker: Broker):
    with connected(broker, qos=0) as connector:
        subscribed(connector)
        broker.publish(*numbered(3))
        assert payloads(polled(connector, 3)) == [0, 1, 2]
    with connected(broker, datetime.now(UTC), qos=0) as connector:
        ended = subscribed(connector).gaps()[-1]
    assert (ended.reason, ended.is_replayed) == ("not running; nothing is kept at QoS 0", False)


# A broker that is not up yet must not stop the stream; the wait is on record from the first attempt.
def test_a_broker_that_is_not_there_yet_is_waited_for(tmp_path: Path):
    broker = Broker(tmp_path / "broker")
    with connected(broker) as connector:
        assert connector.poll(0.7) == [] and connector.backlog() is None
        broker.start()
        subscribed(connector)
        begun, ended = connector.gaps()
    broker.kill()
    assert begun.reason.startswith("can't be reached: ") and begun.end_at is None and ended.is_replayed is False


# A last known value would be a new reading with each connection.
def test_retained_messages_come_once(broker: Broker):
    broker.publish(("plant/S1", b"1"), retain=True)
    with connected(broker) as connector:
        (first,) = polled(connector, 1)
        assert first.redelivered
    with connected(broker) as connector:
        assert subscribed(connector).poll(0.3) == []


# Two consumers share the work: each message comes to one of them.
def test_shared_subscriptions_share(broker: Broker):
    topics = ["$share/line/plant/{sensor_id}"]
    with connected(broker, topics=topics, client="a") as one, connected(broker, topics=topics, client="b") as other:
        subscribed(one), subscribed(other)
        broker.publish(*numbered(40))
        found, until = ([], []), time.monotonic() + 20
        while sum(map(len, found)) < 40 and time.monotonic() < until:
            for connector, mine in zip((one, other), found, strict=True):
                mine.extend(payloads(connector.poll(0.1)))
                connector.landed()
    assert sorted(found[0] + found[1]) == [*range(40)] and all(found)


@contextmanager
def talking(*answers: bytes) -> Iterator[str]:
    """The address of a broker that answers our packets with these, for what mosquitto does not say."""

    def talk() -> None:
        with listener.accept()[0] as client:
            for answer in answers:
                client.recv(1000)
                client.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=talk)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


ACCEPTED, SUBSCRIBED = bytes.fromhex("20 03 00 00 00"), bytes.fromhex("90 04 00 01 00 01")
TAKEN_OVER, NOT_AUTHORIZED = bytes.fromhex("E0 02 8E 00"), bytes.fromhex("90 04 00 01 00 87")


# Two consumers of one name would throw each other out for ever; a topic that may not be read would stay empty.
@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([ACCEPTED, SUBSCRIBED + TAKEN_OVER], "Session taken over; each consumer needs a client of its own"),
        ([ACCEPTED, NOT_AUTHORIZED], "the topic plant/# is refused: Not authorized; check topics"),
    ],
)
def test_what_a_broker_refuses_is_said(answers: list[bytes], said: str):
    refused = pytest.raises(Unreachable, match=said)
    with talking(*answers) as address, connected(SimpleNamespace(address=address)) as connector, refused:
        connector.poll(10)


def secured(tmp_path: Path, *settings: str) -> Broker:
    passwords = tmp_path / "passwords"
    passwords.write_text("reader:s3cret\n")
    subprocess.run(["/usr/bin/mosquitto_passwd", "-U", passwords], check=True)
    return Broker(tmp_path / "broker", [f"password_file {passwords}", *settings]).start()


# A wrong password is not waited for, and is not shown.
def test_user_and_password(tmp_path: Path):
    broker = secured(tmp_path)
    try:
        with connected(broker, user="reader", password="s3cret") as connector:
            subscribed(connector)
        with connected(broker, user="reader", password="wr0ng") as connector:
            with pytest.raises(Unreachable, match="refused by the broker: Not authorized; check user") as raised:
                connector.poll(5)
            assert "wr0ng" not in str(raised.value)
    finally:
        broker.kill()


# Readings and passwords would go over the wire for anyone, or to anyone who says to be the broker.
def test_tls(tmp_path: Path):
    folder = write_certificate(tmp_path)
    pem, key = folder / "own.pem", folder / "own.key"
    broker = secured(tmp_path, f"certfile {pem}", f"keyfile {key}")
    user = {"user": "reader", "password": "s3cret"}
    try:
        with connected(broker, tls={"ca": str(pem), "certificate": str(pem), "key": str(key)}, **user) as connector:
            subscribed(connector)
        refused = pytest.raises(Unreachable, match="its certificate is not trusted: .*; see tls.ca in plant.yml")
        with connected(broker, tls={}, **user) as connector, refused:
            connector.poll(5)
        with pytest.raises(Unreachable, match="the files of tls can't be used"), connected(broker, tls={"ca": "none"}):
            pass
    finally:
        broker.kill()


def test_addresses_of_brokers():
    source = {"name": "live", "kind": "mqtt", "topics": ["t"]}
    found = [MqttSource(broker=text, **source).address for text in ("mq.example", "mq.example:77", "[::1]:77", "[::1]")]
    assert found == [("mq.example", 1883), ("mq.example", 77), ("::1", 77), ("::1", 1883)]
    assert MqttSource(broker="mq.example", tls={}, **source).address == ("mq.example", 8883)
