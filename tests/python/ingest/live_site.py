"""A plant with a Kafka source, the process that lands it, and what a test asks about both."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Producer
from plant_site import Site

from bench.kafka_cluster import KafkaCluster
from ingest.stream.status import Status, statuses
from pipeline.paths import PROJECT

TOPIC = "readings"
SOURCE = "line"


def reading(number: int, **values: object) -> dict:
    """One of sensor s0 to s9, a second after the one before, with its number as value."""
    at = f"2024-03-01T08:{number // 60 % 60:02}:{number % 60:02}.{number // 3600:06}Z"
    return {"sensor_id": f"s{number % 10}", "reading_at": at, "value": number} | values


def until(what: Callable[[], object], seconds: float = 60) -> None:
    """Waits until something is so; raises AssertionError when it takes too long."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@dataclass
class LiveSite:
    """`site` is a plant whose only source is the topic TOPIC of `cluster`."""

    site: Site
    cluster: KafkaCluster
    sent: int = 0
    partitions: int = 4
    """Of the topic; messages go to one after the other."""
    producer: Producer = field(init=False)
    produced: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.producer = Producer({"bootstrap.servers": self.cluster.brokers, "linger.ms": 2, "log_level": 0})
        self.describe()

    def describe(self, **more: object) -> None:
        source = {"name": SOURCE, "kind": "kafka", "brokers": self.cluster.brokers, "topics": [TOPIC]}
        fast = {"session.timeout.ms": 3000, "heartbeat.interval.ms": 200}
        self.site.describe(source | {"settings": fast} | more)

    def send(self, count: int, **values: object) -> None:
        """The next `count` readings; each has a number of its own as value."""
        for number in range(self.sent, self.sent + count):
            self.send_raw(json.dumps(reading(number, **values)).encode())
        self.sent += count
        self.flush()

    def send_raw(self, payload: bytes | None) -> None:
        self.produced += 1
        self.producer.produce(TOPIC, payload, partition=self.produced % self.partitions)

    def flush(self) -> None:
        assert self.producer.flush(60) == 0

    @property
    def folder(self) -> Path:
        return self.site.paths.landing / SOURCE

    def status(self) -> Status:
        """Of the consumer that wrote last; waits for the first."""
        until(lambda: statuses(self.folder))
        return max(statuses(self.folder), key=lambda status: status.at)

    def landed(self) -> int:
        """Messages that are on the disk, loaded or not, by the offsets that segments and manifest tell."""
        from ingest.stream.landed import Landed
        from pipeline.plant import load_plant

        plant = load_plant(self.site.folder)
        return sum(Landed(self.site.paths, plant.sources[0]).positions().values())

    def values(self) -> list[float]:
        return sorted(row["value"] for row in self.site.query("value", "sensor_reading"))

    def gaps(self) -> list[dict]:
        return self.site.rows("stream_gap")

    def alerts(self) -> list[dict]:
        files = sorted(self.site.paths.alerts.glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    @contextmanager
    def consumer(self) -> Iterator[subprocess.Popen]:
        """`python -m ingest stream`, told to stop at the end if it still runs; it has to end well."""
        with self._process("stream", "--plant", str(self.site.folder)) as process:
            yield process
            # Before it has said something of itself it may not even know of the signal
            until(lambda: process.poll() is not None or process.pid in {it.pid for it in statuses(self.folder)})
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0, process.stderr.read()

    def load_process(self) -> AbstractContextManager[subprocess.Popen]:
        return self._process("--plant", str(self.site.folder))

    @contextmanager
    def _process(self, *arguments: str) -> Iterator[subprocess.Popen]:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest", *arguments],
            cwd=PROJECT,
            env={**os.environ, "FIRSTPASS_DATA": str(self.site.paths.data)},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()
