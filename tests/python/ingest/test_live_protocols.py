"""MQTT and OPC UA through consumer and loader, with processes that are killed: each message is in raw once."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_site import SOURCE, LiveSite, until
from mosquitto import Broker
from opcua_server import Machine


class Plant(LiveSite):
    """`send_raw` goes to a real MQTT broker."""

    cluster: Broker

    def __post_init__(self) -> None:
        self.waiting: list[tuple[str, bytes]] = []
        self.describe()

    def describe(self, **more: object) -> None:
        source = {"name": SOURCE, "kind": "mqtt", "broker": self.cluster.address, "topics": ["plant/{sensor_id}"]}
        self.site.describe(source | more)

    def send_raw(self, payload: bytes | None) -> None:
        self.waiting.append((f"plant/s{len(self.waiting) % 3}", payload))

    def flush(self) -> None:
        self.cluster.publish(*self.waiting)
        self.waiting.clear()

    def loaded(self) -> int:
        time.sleep(1)
        self.site.load()
        return self.site.count("sensor_reading")


@pytest.fixture
def live(site, tmp_path: Path) -> Iterator[Plant]:
    broker = Broker(tmp_path / "broker").start()
    yield Plant(site, broker)
    broker.kill()


def connected(live: Plant) -> None:
    """From the first connection on the broker keeps messages for the session."""
    until(lambda: live.status().received_until)


# Readings that are sent while a consumer dies would be missing, or count twice: here they even look alike
def test_plain_values_that_are_all_the_same_are_in_raw_once_each(live: Plant):
    live.describe(payload={"format": "value"})
    moments = random.Random(5)
    sent = 0
    for _ in range(3):
        with live.consumer() as process:
            connected(live)
            for _ in range(4):
                for _ in range(150):
                    live.send_raw(b"21.5")
                live.flush()
                sent += 150
                time.sleep(moments.uniform(0, 0.4))
            if moments.random() < 0.5:
                live.site.load()
            process.kill()
            process.wait()
    with live.consumer():
        until(lambda: live.loaded() >= sent)
    assert live.loaded() == sent


# A broker that is restarted would leave a hole, or readings twice
def test_readings_are_in_raw_once_though_broker_and_consumer_go_and_come(live: Plant):
    with live.consumer() as process:
        connected(live)
        live.send(300)
        until(lambda: live.status().message_count == 300)
        live.cluster.stop()
        until(lambda: live.status().trouble)
        live.cluster.start()
        live.send(300)
        process.kill()
        process.wait()
    live.send(300)
    with live.consumer():
        until(lambda: live.loaded() >= live.sent)
        until(lambda: any(gap["is_replayed"] for gap in live.status().gaps))
    assert live.loaded() == live.sent and live.values() == list(range(live.sent))
    noted = {(gap["stream"], gap["reason"], gap["is_replayed"]) for gap in live.gaps()}
    assert ("plant/+", "not running", True) in noted and ("plant/+", "connection lost", None) in noted


# What the server of a machine has seen while nobody listened is not lost when it keeps a history
def test_values_of_opc_ua_are_in_raw_once_though_the_consumer_is_killed(site):
    machine = Machine().start()
    try:
        machine.write("T", 0.0, keeps=True)
        nodes = {"T": "ns=2;s=T"}
        site.describe({"name": SOURCE, "kind": "opcua", "url": machine.url, "nodes": nodes, "period_s": 0.05})
        live = Plant.__new__(Plant)
        live.site = site
        written = 0

        def write(count: int) -> None:
            nonlocal written
            for written in range(written + 1, written + count + 1):  # noqa: B020
                machine.write("T", float(written))
                time.sleep(0.01)

        for _ in range(2):
            with live.consumer() as process:
                until(lambda: live.status().message_count)
                write(20)
                process.kill()
                process.wait()
            write(20)
        machine.write("T", None, status="BadSensorFailure")
        with live.consumer():
            until(lambda: live.loaded() >= written + 2)
    finally:
        machine.kill()
    rows = site.rows("sensor_reading")
    assert sorted(row["value"] for row in rows if row["value"] is not None) == list(range(written + 1))
    assert [row["status_code"] for row in rows if row["status"] == "bad"] == ["BadSensorFailure"]
    assert any(gap["is_replayed"] and gap["reason"] == "not running" for gap in live.gaps())
