"""The OPC UA connector against a real server: values with times and status, gaps, and what history fills of them."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from asyncua import ua
from certificates import write_certificate
from opcua_server import PASSWORD, Machine

from ingest.source import Unreachable
from ingest.stream import opcua
from ingest.stream.connector import Message
from pipeline.streams import OpcuaSource

PLANT = SimpleNamespace(name="p1", folder=Path("/"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def machine(certificates: Path) -> Iterator[Machine]:
    """One for all: each test has variables of its own."""
    machine = Machine(certificate=certificates / "own.pem", key=certificates / "own.key").start()
    yield machine
    machine.kill()


def variable(name: str) -> str:
    return f"ns=2;s={name}"


@contextmanager
def connected(
    machine: Machine, *names: str, positions: dict[str, int] | None = None, since: datetime | None = None, **source
) -> Iterator[opcua.Opcua]:
    settings = {"name": "live", "kind": "opcua", "url": machine.url, "period_s": 0.05}
    settings |= {"nodes": {name: variable(name) for name in names}} | source
    landed = SimpleNamespace(positions=lambda: positions or {}, received_until=lambda: since)
    connector = opcua.connect(PLANT, OpcuaSource(**settings), landed)
    try:
        yield connector
    finally:
        connector.close()


def polled(connector: opcua.Opcua, count: int) -> list[Message]:
    """At least `count` messages, or what has come after some seconds."""
    found, until = [], time.monotonic() + 20
    while len(found) < count and time.monotonic() < until:
        found += connector.poll(0.2)
        connector.landed()
    return found


def values(messages: list[Message]) -> list[float]:
    return [json.loads(message.payload)["value"] for message in messages]


def next_offsets(messages: list[Message]) -> dict[str, int]:
    return {message.stream: message.offset + 1 for message in messages if message.offset is not None}


# A value without its times and its status would be believed when it must not be.
def test_values_come_with_their_times_and_status(machine: Machine):
    machine.write("a", 1.0), machine.write("b", 2.0)
    with connected(machine, nodes={"A": variable("a"), "B": "/2:Line1/2:b"}) as connector:
        first = polled(connector, 2)
        machine.write("a", 21.5, at="2024-01-01T08:00:00.25+00:00")
        machine.write("a", 22.5, status="UncertainSensorNotAccurate")
        machine.write("b", None, status="BadSensorFailure")
        machine.write("b", float("nan"), status="BadCommunicationError")
        found = [json.loads(message.payload) for message in polled(connector, 4)]
        assert (connector.backlog(), connector.trouble, connector.gaps()) == (None, None, [])
    assert sorted((message.stream, *values([message])) for message in first) == [("A", 1.0), ("B", 2.0)]
    of_b = [(it["sensor_id"], it["value"], it["status"], it["status_code"]) for it in found if it["sensor_id"] == "B"]
    assert of_b == [("B", None, "bad", "BadSensorFailure"), ("B", None, "bad", "BadCommunicationError")]
    early, late = (it for it in found if it["sensor_id"] == "A")
    assert early["reading_at"] == "2024-01-01T08:00:00.250000+00:00"
    assert (late["value"], late["status"], late["status_code"]) == (22.5, "uncertain", "UncertainSensorNotAccurate")


# A switch is 0 or 1 among readings; what is no number at all is shown as it is when it is rejected.
@pytest.mark.parametrize(("value", "written"), [(True, 1), (7, 7), ("text", "text"), ([1, 2], [1, 2]), (b"x", "b'x'")])
def test_values_of_other_types(value: object, written: object):
    payload = json.loads(opcua._payload("S", None, ua.DataValue(ua.Variant(value), StatusCode=None)))
    assert payload == {"sensor_id": "S", "value": written, "status": "good", "status_code": "Good"}


# The offset of a value is its time: what was landed is not landed again, what is older than that still is.
def test_offsets_are_the_sources_times(machine: Machine):
    machine.write("c", 0.0)
    with connected(machine, "c") as connector:
        (first,) = polled(connector, 1)
        machine.write("c", 1.0, at="2030-01-01T00:00:00+00:00")
        machine.write("c", 2.0, at="2030-01-01T00:00:00+00:00", status="UncertainLastUsableValue")
        machine.write("c", 3.0, at=None)
        machine.write("c", 4.0, at=None, is_dated=False)
        newest, same, of_server, timeless = polled(connector, 4)
    assert (newest.offset, newest.after) == (1_893_456_000_000_000, first.offset)
    assert same.offset is of_server.offset is timeless.offset is None
    assert "reading_at" in json.loads(of_server.payload) and values([same, timeless]) == [2.0, 4.0]


# A quiet variable is notified with each connection: it must not become a reading each time.
def test_a_value_that_is_known_is_no_new_reading(machine: Machine):
    machine.write("d", 1.0)
    with connected(machine, "d") as connector:
        (first,) = polled(connector, 1)
    with connected(machine, "d", positions=next_offsets([first])) as connector:
        assert connector.poll(1) == []
        machine.write("d", 1.5)
        assert values(polled(connector, 1)) == [1.5]


# What a server kept while we were away is not lost, and the gap says so; without history it says that, too.
@pytest.mark.parametrize("keeps", [True, False])
def test_history_fills_the_gap(machine: Machine, keeps: bool):
    name = f"e{keeps}"
    machine.write(name, 1.0, keeps=keeps)
    with connected(machine, name) as connector:
        known = polled(connector, 1)
    since = datetime.now(UTC)
    for value in (2.0, 3.0, 4.0):
        machine.write(name, value)
    with connected(machine, name, positions=next_offsets(known), since=since) as connector:
        found = polled(connector, 3 if keeps else 1)
        machine.write(name, 5.0)
        found += polled(connector, 1)
        begun, ended = connector.gaps()
    assert values(found) == ([2.0, 3.0, 4.0, 5.0] if keeps else [4.0, 5.0])
    assert [message.after for message in found] == [known[0].offset, *(message.offset for message in found[:-1])]
    assert begun == (name, since, None, "not running", None, None)
    assert ended.end_at > since and ended.is_replayed is keeps
    assert ended.reason == ("not running" if keeps else "not running; the server has no history of it")


# History that begins after the gap did fills a part of it: what it has is taken, and the gap stays one.
def test_history_that_begins_too_late_does_not_close_the_gap(machine: Machine):
    machine.write("f", 1.0, keeps=True)
    since = datetime.now(UTC) - timedelta(hours=1)
    early = {"f": int(since.timestamp() * 1e6)}
    with connected(machine, "f", positions=early, since=since) as connector:
        assert values(polled(connector, 1))[-1] == 1.0
        assert connector.gaps()[-1].is_replayed is False
    with connected(machine, "f", since=since, history=False) as connector:
        assert values(polled(connector, 1)) == [1.0]
        assert connector.gaps()[-1].is_replayed is False


# Values that came faster than they were sent are lost in the server, which says so: somebody has to know.
@pytest.mark.parametrize("keeps", [True, False])
def test_a_queue_that_ran_over_is_a_gap(machine: Machine, keeps: bool):
    name = f"g{keeps}"
    machine.write(name, 1.0, keeps=keeps)
    with connected(machine, name, queue=1, period_s=1) as connector:
        first = polled(connector, 1)
        machine.write(name, 2.0)
        machine.write(name, 3.0, status=opcua.OVERFLOW)
        found = polled(connector, 2 if keeps else 1)
        machine.write(name, 4.0)
        found += polled(connector, 1)
        begun, ended = connector.gaps()
    assert values(found) == ([2.0, 3.0, 4.0] if keeps else [3.0, 4.0])
    assert json.loads(found[-2].payload)["status_code"] == "Good"
    assert begun.reason == "the server's queue for it ran over"
    assert opcua._microseconds(begun.start_at) == first[0].offset and ended.is_replayed is keeps


# One variable that a controller's program no longer has must not silence all the others.
def test_a_variable_that_is_not_there_is_a_gap_until_it_is(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opcua, "PATIENCE_S", (0.1, 0.3))
    machine.write("h", 1.0)
    nodes = {"here": variable("h"), "by id": variable("i"), "by path": "/2:Line1/2:i"}
    with connected(machine, nodes=nodes) as connector:
        assert [message.stream for message in polled(connector, 1)] == ["here"]
        reasons = {gap.stream: gap.reason for gap in connector.gaps()}
        assert sorted(reasons) == ["by id", "by path"]
        assert all(reason.startswith("the server has no such variable: ") for reason in reasons.values())
        machine.write("i", 3.0)
        assert sorted(message.stream for message in polled(connector, 2)) == ["by id", "by path"]
        assert {gap.stream for gap in connector.gaps() if gap.end_at} == {"by id", "by path"}


# The server's subscription may go while the connection stays, as when its lifetime was too short.
def test_a_subscription_that_ends_is_made_anew(machine: Machine):
    machine.write("j", 1.0)
    with connected(machine, "j") as connector:
        polled(connector, 1)
        connector.loop.run_until_complete(connector.session.subscription.recreate())
        machine.write("j", 5.0)
        assert values(polled(connector, 1)) == [5.0]
        assert connector.poll(1) == []
        assert connector.gaps()[0].reason == "the server was silent"
        polled(connector, 0)
        ended = SimpleNamespace(Status=ua.StatusCode(ua.StatusCodes.BadTimeout))
        connector.session.status_change_notification(ended)
        connector.poll(0.1)
        assert connector.gaps()[-1].reason == "the subscription ended: BadTimeout"


# A wrong password is not waited for, and is not shown.
def test_user_and_password(machine: Machine):
    machine.write("k", 1.0)
    with connected(machine, "k", user="reader", password=PASSWORD) as connector:
        assert polled(connector, 1)
    with connected(machine, "k", user="reader", password="wr0ng") as connector:
        with pytest.raises(Unreachable, match="refused by the server: .*check user, password") as raised:
            connector.poll(5)
        assert "wr0ng" not in str(raised.value)


# Readings and passwords would go over the wire for anyone, or to anyone who says to be the server.
def test_security(machine: Machine, certificates: Path, tmp_path: Path):
    machine.write("l", 1.0)
    own = {"certificate": str(certificates / "own.pem"), "key": str(certificates / "own.key")}
    with connected(machine, "l", security=own, user="reader", password=PASSWORD) as connector:
        assert polled(connector, 1)
        assert connector.session.client.application_uri == "urn:firstpass:test"
    with connected(machine, "l", security=own | {"server_certificate": own["certificate"]}) as connector:
        assert polled(connector, 1)
    other = str(write_certificate(tmp_path) / "own.pem")
    with connected(machine, "l", security=own | {"server_certificate": other}) as connector:
        assert connector.poll(1) == [] and connector.trouble.startswith("can't be reached: ")
    for key, said in (("none.key", "No such file"), (own["certificate"], "no BEGIN/END delimiters")):
        refused = pytest.raises(Unreachable, match=f"the files of security can't be used: .*{said}")
        with connected(machine, "l", security=own | {"key": key}) as connector, refused:
            connector.poll(1)
    with connected(machine, "l", security=own | {"policy": "Aes256Sha256RsaPss"}) as connector:
        assert connector.poll(1) == [] and connector.trouble


# A server that answers a history request with an error has lost the connection, or has no such thing: both go on.
@pytest.mark.parametrize("keeps", [True, False])
def test_a_connection_that_is_lost_amid_a_request_is_made_anew(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, keeps: bool
):
    monkeypatch.setattr(opcua, "PATIENCE_S", (0.1, 0.3))
    name = f"m{keeps}"
    machine.write(name, 1.0, keeps=keeps)
    with connected(machine, name) as connector:
        polled(connector, 1)
        machine.write(name, 2.0, status=opcua.OVERFLOW)
        machine.write(name, 2.5)
        while len(connector.session.notified) < 2:
            connector.loop.run_until_complete(asyncio.sleep(0.05))
        connector.session.client.disconnect_socket()
        found = polled(connector, 2)
        machine.write(name, 3.0)
        found += polled(connector, 1)
        (ended,) = (gap for gap in connector.gaps() if gap.end_at)
    assert values(found) == [2.0, 2.5, 3.0] and not connector.absences.since
    assert (ended.reason.split(";")[0], ended.is_replayed) == ("the server's queue for it ran over", keeps)


# A history of months at once would take all memory: the rest of it stays a gap.
def test_a_history_that_is_too_long_is_cut(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opcua, "MOST_REPLAYED", 1)
    machine.write("o", 1.0, keeps=True)
    machine.write("o", 2.0)
    with connected(machine, "o", positions={"o": 1}, since=datetime.now(UTC)) as connector:
        assert 2.0 in values(polled(connector, 2))
        assert connector.gaps()[-1].reason == "not running; its history is too long to be read at once"


# A sensor that says NaN and means it well is wrong, and its reading is rejected; with a bad status it is no value.
def test_what_is_no_number_is_no_value_when_the_status_says_so():
    nan = ua.Variant(float("nan"))
    assert b"NaN" in opcua._payload("S", None, ua.DataValue(nan))
    assert b'"value": null' in opcua._payload("S", None, ua.DataValue(nan, ua.StatusCode("BadSensorFailure")))


# A server that falls and comes back: the stream goes on by itself, and the gap is on record.
def test_a_server_that_comes_back_goes_on(machine: Machine):
    machine.write("n", 1.0)
    with connected(machine, "n") as connector:
        assert values(polled(connector, 1)) == [1.0]
        machine.kill()
        until = time.monotonic() + 20
        while not (connector.trouble or "").startswith("can't be reached: ") and time.monotonic() < until:
            assert connector.poll(0.2) == []
        machine.start().write("n", 7.0)
        assert 7.0 in values(polled(connector, 1))
        begun, ended = connector.gaps()[:2]
        assert connector.trouble is None
    assert (begun.stream, begun.end_at, begun.start_at) == ("n", None, ended.start_at)
    assert begun.reason.startswith("connection lost: ") and ended.end_at > ended.start_at and not ended.is_replayed
    with connected(Machine(), "n") as connector:
        assert connector.poll(0.1) == [] and connector.trouble.startswith("can't be reached: ")
