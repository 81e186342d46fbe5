"""The demo plant with a Kafka source of 1,000 sensors, its brokers, and the processes that work on it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml
from confluent_kafka import Producer

from bench.kafka_cluster import KafkaCluster, kafka_cluster
from ingest.stream.landed import Landed
from pipeline.paths import PROJECT, Paths
from pipeline.plant import load_plant

TOPIC, SOURCE = "readings", "line"
SENSORS = 1_000
PARTITIONS = 16


class LivePlant:
    """`folder` holds the plant and its data."""

    def __init__(self, folder: Path, cluster: KafkaCluster):
        self.folder, self.cluster = folder / "plant", cluster
        self.paths = Paths(folder / "data")
        self.environment = {
            **os.environ,
            "PLANT": str(self.folder),
            "FIRSTPASS_DATA": str(self.paths.data),
            "SCALE": "0.02",
            "WEEKS": "3",
        }
        shutil.copytree(PROJECT / "plants" / "demo", self.folder)
        file = self.folder / "plant.yml"
        content = yaml.safe_load(file.read_text())
        source = {"name": SOURCE, "kind": "kafka", "brokers": cluster.brokers, "topics": [TOPIC]}
        columns = {"sensor_id": "{plant_name}/{lane_number}", "reading_at": "timestamp", "value": "temperature"}
        parts = {name: f"component_info.{name}" for name in ("component_type", "component_manufacturer")}
        content["sources"].append(source | {"columns": columns | parts})
        file.write_text(yaml.safe_dump(content))
        rows = "".join(f"p1/{number},1000000,1\n" for number in range(SENSORS))
        (self.folder / "sensors.csv").write_text(f"sensor_id,upper_limit,period_s\n{rows}")
        cluster.create(TOPIC, PARTITIONS)
        self.producer = Producer(
            {
                "bootstrap.servers": cluster.brokers,
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": 3_600_000,
                "queue.buffering.max.messages": 10_000_000,
                "log_level": 0,
            }
        )

    def send(self, number: int) -> None:
        """Reading `number`, from 0: its value is its number, its time is now."""
        message = {
            "plant_name": "p1",
            "lane_number": number % SENSORS,
            "timestamp": datetime.now(UTC).isoformat(timespec="microseconds"),
            "temperature": number,
            "component_info": {"component_type": "bearing", "component_manufacturer": "acme"},
        }
        self.producer.produce(TOPIC, json.dumps(message), partition=number % PARTITIONS)

    def landed(self) -> int:
        """Messages that are on the disk, loaded or not."""
        (source,) = [source for source in load_plant(self.folder).sources if source.name == SOURCE]
        return sum(Landed(self.paths, source).positions().values())

    def consumer(self) -> subprocess.Popen:
        return self._start("ingest", "stream")

    def run(self, *arguments: str) -> tuple[float, subprocess.CompletedProcess]:
        """`python -m <arguments>` to its end: seconds, and what it said. Raises RuntimeError when it fails."""
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
        return time.monotonic() - started, done

    def _start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=PROJECT, env=self.environment, stderr=subprocess.DEVNULL
        )


@contextmanager
def live_plant(folder: Path) -> Iterator[LivePlant]:
    with kafka_cluster() as cluster:
        yield LivePlant(folder, cluster)
