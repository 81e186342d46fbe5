"""`python -m bench.live_fault`: how long after its first reading a critical fault is flagged, with real processes.

A broker, a sender, the consumer (`make stream`) and `make refresh` once a minute. After some quiet minutes one sensor,
marked critical in anomaly_settings.csv, goes beyond its limit. Time is from the first such reading, by the sender's
clock, to the line in data/alerts, which the consumer writes, and to the moment at which the published marts hold the
anomaly.
"""

import json
import math
import os
import random
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
import duckdb

from bench.live_plant import PARTITIONS, TOPIC, LivePlant, live_plant

USUAL, LIMIT = 50.0, 80.0
FAULTY = 7
MINUTE = 60.0


@click.command(help=__doc__)
@click.option("--sensors", default=100, show_default=True, help="With a reading a second each.")
@click.option("--quiet", default=2, show_default=True, help="Minutes before the fault.")
@click.option("--longest", default=15, show_default=True, help="Minutes to wait for the flag.")
@click.option("--seed", default=1, show_default=True)
def main(sensors: int, quiet: int, longest: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder, live_plant(Path(folder)) as plant:
        _describe(plant, sensors)
        seconds, _ = plant.run("pipeline", "run")
        click.echo(f"nightly run: {seconds:.0f} s")
        consumer = plant.consumer()
        sender = Sender(plant, sensors, seed)
        sender.start()
        try:
            flagged = _refreshed(plant, sender, quiet, longest)
        finally:
            sender.stopping.set()
            sender.join()
            consumer.terminate()
            consumer.wait()
        first = sender.first_wrong
        alerted = sender.alerted
        click.echo(f"alert on the disk after {alerted - first:.0f} s" if alerted else "no alert was written")
        click.echo(
            f"published as an anomaly after {flagged - first:.0f} s" if flagged else f"not flagged in {longest} minutes"
        )
        click.echo(f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
        if not flagged or flagged - first > 5 * MINUTE:
            raise SystemExit(1)


def _describe(plant: LivePlant, sensors: int) -> None:
    """sensors.csv and anomaly_settings.csv of the plant, whose other records are few."""
    plant.environment |= {"SCALE": "0.005", "WEEKS": "1"}
    rows = "".join(f"p1/{number},temperature,°C,{LIMIT:g},1\n" for number in range(sensors))
    (plant.folder / "sensors.csv").write_text(f"sensor_id,quantity,unit,upper_limit,period_s\n{rows}")
    (plant.folder / "anomaly_settings.csv").write_text(
        "entity_type,entity,metric,sensitivity,is_critical,reason\n"
        f"sensor,p1/{FAULTY},,normal,true,The furnace burns through above its limit\n"
    )


class Sender(threading.Thread):
    """A reading a second of each sensor; once `wrong` is set, those of FAULTY lie beyond its limit."""

    def __init__(self, plant: LivePlant, sensors: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.plant, self.sensors, self.random = plant, sensors, random.Random(seed)
        self.wrong, self.stopping = threading.Event(), threading.Event()
        self.first_wrong = math.inf
        self.alerted: float | None = None

    def run(self) -> None:
        following = time.monotonic()
        while not self.stopping.wait(max(0.0, following - time.monotonic())):
            following += 1
            for number in range(self.sensors):
                self._send(number)
            self.plant.producer.poll(0)
            if self.alerted is None and any(self.plant.paths.alerts.glob("*.jsonl")):
                self.alerted = time.time()
        self.plant.producer.flush()

    def _send(self, number: int) -> None:
        now = time.time()
        is_wrong = number == FAULTY and self.wrong.is_set()
        if is_wrong:
            self.first_wrong = min(self.first_wrong, now)
        message = {
            "plant_name": "p1",
            "lane_number": number,
            "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds"),
            "temperature": round(self.random.gauss(LIMIT + 10 if is_wrong else USUAL, 1), 3),
            "component_info": {"component_type": "furnace", "component_manufacturer": "acme"},
        }
        self.plant.producer.produce(TOPIC, json.dumps(message), partition=number % PARTITIONS)


def _refreshed(plant: LivePlant, sender: Sender, quiet: int, longest: int) -> float | None:
    """Refreshes once a minute; the time at which the published marts held the anomaly, None where they never did.

    The fault begins once a refresh has loaded what was landed: the worst moment, since only the next one can know.
    """
    took = []
    for minute in range(quiet + longest):
        started = time.monotonic()
        if minute == quiet:
            threading.Thread(target=_begin_when_loaded, args=[plant, sender], daemon=True).start()
        seconds, _ = plant.run("pipeline", "refresh")
        took.append(seconds)
        if _is_published(plant):
            click.echo(f"{len(took)} refreshes, the longest {max(took):.0f} s")
            return time.time()
        time.sleep(max(0.0, MINUTE - (time.monotonic() - started)))
    click.echo(f"{len(took)} refreshes, the longest {max(took):.0f} s")
    return None


def _begin_when_loaded(plant: LivePlant, sender: Sender) -> None:
    before = _loads(plant)
    while _loads(plant) == before:
        time.sleep(0.1)
    sender.wrong.set()


def _loads(plant: LivePlant) -> int:
    return len(list((plant.paths.raw / "load").glob("*.parquet")))


def _is_published(plant: LivePlant) -> bool:
    with closing(duckdb.connect(str(plant.paths.published / "marts.duckdb"), read_only=True)) as connection:
        found = connection.execute(
            "select detector, severity, sentence from anomaly where entity = ? and severity = 'critical'",
            [f"p1/{FAULTY}"],
        ).fetchone()
    if found:
        click.echo("{}, {}: {}".format(*found))
    return found is not None


if __name__ == "__main__":
    main()
