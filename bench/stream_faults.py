"""`python -m bench.stream_faults`: a long test of live sources, in which everything is disturbed.

1,000 sensors send a reading a second through Kafka; brokers go down and come up, the consumer is killed at random
moments, `refresh` runs every minute and the nightly run in between. At the end each reading has to be in raw once.
"""

import random
import subprocess
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import click
import duckdb

from bench.live_plant import SENSORS, LivePlant, live_plant
from bench.streams import wait_until_landed
from ingest.stream.status import statuses


@click.command(help=__doc__)
@click.option("--minutes", default=60, show_default=True)
@click.option("--kills", default=10, show_default=True, help="Times that the consumer is killed (SIGKILL).")
@click.option("--outages", default=4, show_default=True, help="Times that all brokers are down, a minute each.")
@click.option("--seed", default=1, show_default=True)
def main(minutes: int, kills: int, outages: int, seed: int) -> None:
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, live_plant(Path(folder)) as plant:
        plant.run("pipeline", "run")
        Disturbed(plant, minutes * 60, kills, outages, moments).run()
        for name, value in counted(plant).items():
            click.echo(f"{name}: {value:,}")


class Disturbed:
    """The run itself. All times are seconds from its start."""

    def __init__(self, plant: LivePlant, seconds: int, kills: int, outages: int, moments: random.Random):
        self.plant, self.seconds = plant, seconds
        self.kills = sorted(moments.uniform(5, seconds) for _ in range(kills))
        length = min(60, seconds / outages / 3)
        begins = [(number + moments.uniform(0.1, 0.5)) * seconds / outages for number in range(outages)]
        self.changes = sorted(
            [(at, plant.cluster.down) for at in begins] + [(at + length, plant.cluster.up) for at in begins]
        )
        self.sent = 0
        self.stopping = threading.Event()
        self.errors: list[BaseException] = []
        self.consumer: subprocess.Popen = plant.consumer()

    def run(self) -> None:
        self.started = started = time.monotonic()
        others = [
            threading.Thread(target=self._guarded, args=[work]) for work in (self._runs, self._kill, self._disturb)
        ]
        for other in others:
            other.start()
        for step in range(self.seconds * 10):
            time.sleep(max(0.0, started + step / 10 - time.monotonic()))
            for _ in range(SENSORS // 10):
                self.plant.send(self.sent)
                self.sent += 1
            self.plant.producer.poll(0)
        self.stopping.set()
        for other in others:
            other.join()
        self.plant.cluster.up()
        self.plant.producer.flush()
        wait_until_landed(self.plant, self.sent)
        self.consumer.terminate()
        self.consumer.wait()
        self.plant.run("pipeline", "refresh")
        if self.errors:
            raise self.errors[0]
        click.echo(f"sent: {self.sent:,}")

    def _guarded(self, work) -> None:
        try:
            work()
        except BaseException as error:
            self.errors.append(error)
            click.echo(f"{type(error).__name__}: {error}", err=True)

    def _now(self) -> float:
        return time.monotonic() - self.started

    def _runs(self) -> None:
        """A refresh every minute, and halfway the nightly run."""
        took, nights = [], 0
        while not self.stopping.wait(60):
            if self._now() > self.seconds / 2 and not nights:
                nights += 1
                seconds, _ = self.plant.run("pipeline", "run")
                click.echo(f"nightly run: {seconds:.0f} s")
            seconds, _ = self.plant.run("pipeline", "refresh")
            took.append(seconds)
        click.echo(f"{len(took)} refreshes, the longest {max(took, default=0):.0f} s")

    def _kill(self) -> None:
        for at in self.kills:
            if self.stopping.wait(max(0.0, at - self._now())):
                return
            self.consumer.kill()
            self.consumer.wait()
            self.consumer = self.plant.consumer()
            click.echo(f"{self._now():.0f} s: killed", err=True)

    def _disturb(self) -> None:
        for at, change in self.changes:
            if self.stopping.wait(max(0.0, at - self._now())):
                return
            change()
            click.echo(f"{self._now():.0f} s: brokers {change.__name__}", err=True)


def counted(plant: LivePlant) -> dict[str, int]:
    """What the lake holds of it in the end, and what is on record of the disturbances."""
    raw = plant.paths.raw
    with closing(duckdb.connect()) as connection:

        def one(query: str, table: str) -> int:
            source = f"read_parquet('{raw}/{table}/*.parquet', union_by_name = true)"
            loads = f"(select load_id from read_parquet('{raw}/load/*.parquet') where status = 'loaded')"
            key = "load_id" if table == "reject" else "_load_id"
            return connection.execute(f"select {query} from {source} where {key} in {loads}").fetchone()[0]

        return {
            "in raw": one("count(*)", "sensor_reading"),
            "different ones": one("count(distinct value)", "sensor_reading"),
            "rejected": one("count(*)", "reject"),
            "waiting": plant.landed() - one("count(*)", "sensor_reading"),
            "gaps on record": one("count(distinct (stream, gap_start_at))", "stream_gap"),
            "of these replayed": one("count(distinct (stream, gap_start_at)) filter (is_replayed)", "stream_gap"),
            "repeated by the broker": sum(it.repeated_count for it in statuses(plant.paths.landing / "line")),
        }


if __name__ == "__main__":
    main()
