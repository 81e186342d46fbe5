"""`python -m bench.streams`: how fast live readings are landed and checked, from Kafka on this machine.

The broker, the sender and the consumer share the machine's cores. Latency is from the sender's clock to the moment at
which the checked batch is written; the flush to the disk is measured for itself.
"""

import os
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import pyarrow.compute as pc

from bench.live_plant import SENSORS, SOURCE, LivePlant, live_plant
from ingest.stream import frames
from ingest.stream.landed import segments
from ingest.stream.landing import unpacked


@click.command(help=__doc__)
@click.option("--messages", default=400_000, show_default=True, help="Waiting at the broker when the consumer starts.")
@click.option("--seconds", default=60, show_default=True, help=f"Of {SENSORS:,} sensors with a reading a second each.")
def main(messages: int, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, live_plant(Path(folder)) as plant:
        for number in range(messages):
            plant.send(number)
            if number % 1000 == 0:
                plant.producer.poll(0)
        plant.producer.flush()
        consumer = plant.consumer()
        try:
            wait_until_landed(plant, messages)
            found = landed_frames(plant)
            span_s = (found[-1].header["at"] - found[0].header["at"]) / 1e6
            rest = messages - count(found[:1])
            click.echo(
                f"{messages:,} waiting messages: {rest / span_s:,.0f} messages/s, landed and checked; "
                f"{messages / cpu_s(consumer.pid):,.0f} per second of processor time, start-up included "
                f"(load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores)"
            )
            send_steadily(plant, messages, seconds)
            wait_until_landed(plant, messages + seconds * SENSORS)
        finally:
            consumer.terminate()
            consumer.wait()
        delays = np.concatenate([delays_s(frame) for frame in landed_frames(plant)[len(found) :]])
        middle, high, highest = np.percentile(delays, [50, 99, 100])
        click.echo(
            f"{SENSORS:,} sensors at 1 reading/s for {seconds} s: from send to landed and checked "
            f"median {middle:.3f} s, p99 {high:.3f} s, highest {highest:.3f} s ({len(delays):,} readings)"
        )
        click.echo(f"flush of 100 kB to the disk: p99 {flush_s(Path(folder)):.4f} s")


def cpu_s(process: int) -> float:
    """Processor time of a process so far, all its threads together."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send_steadily(plant: LivePlant, first: int, seconds: int) -> None:
    """A hundredth of a second's readings at a time."""
    started = time.monotonic()
    for step in range(seconds * 100):
        while time.monotonic() - started < step / 100:
            time.sleep(0.001)
        for number in range(SENSORS // 100):
            plant.send(first + step * SENSORS // 100 + number)
        plant.producer.poll(0)
    plant.producer.flush()


def wait_until_landed(plant: LivePlant, messages: int) -> None:
    while (landed := plant.landed()) < messages:
        time.sleep(0.5)
    assert landed == messages


def landed_frames(plant: LivePlant) -> list[frames.Frame]:
    """With records, in the order in which they were written."""
    return [
        frame
        for segment in segments(plant.paths.landing / SOURCE)
        for frame in frames.read(segment)
        if frame.header.get("table") == "sensor_reading"
    ]


def count(found: list[frames.Frame]) -> int:
    spans = [span for frame in found for spans in frame.header["ranges"].values() for span in spans]
    return sum(last - first + 1 for first, last in spans)


def delays_s(frame: frames.Frame) -> np.ndarray:
    sent = pc.strptime(pc.utf8_slice_codeunits(unpacked(frame)[0]["timestamp"], 0, 19), "%Y-%m-%dT%H:%M:%S", "us")
    fraction = pc.cast(pc.utf8_slice_codeunits(unpacked(frame)[0]["timestamp"], 20, 26), "int64")
    return (frame.header["at"] - (sent.cast("int64").to_numpy() + fraction.to_numpy())) / 1e6


def flush_s(folder: Path) -> float:
    took = []
    with (folder / "flushed").open("ab") as file:
        for _ in range(200):
            file.write(os.urandom(100_000))
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - started)
    return float(np.percentile(took, 99))


if __name__ == "__main__":
    main()
