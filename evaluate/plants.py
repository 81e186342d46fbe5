"""Simulated plants to evaluate on: the demo plant with sensors at some machines and a fault rate of one's own."""

import csv
import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.paths import PROJECT

DEMO = PROJECT / "plants" / "demo"


@dataclass(frozen=True)
class Quantity:
    """What sensors of a kind are like. `rhythm`: amplitude of the day in sigmas; `load_share`: of the variance."""

    name: str
    unit: str
    typical: float
    sigma: float
    rhythm: float
    load_share: float
    component_type: str


QUANTITIES = [
    Quantity("temperature", "°C", 48.0, 0.6, 2.5, 0.8, "heater"),
    Quantity("current", "A", 11.0, 0.35, 1.2, 0.8, "power supply"),
    Quantity("vibration", "mm/s", 2.4, 0.12, 0.0, 0.65, "fan"),
    Quantity("pressure", "bar", 5.6, 0.05, 0.5, 0.5, "air inlet"),
]
MANUFACTURERS = ["Brisk Motion", "Calder", "Norrvik"]
LIMIT_SIGMAS = 8.0
"""Beyond all that rhythm, season and load do to a sensor."""
LOAD_SD = 0.1


def sensor_rows(machines: Iterable[str], seed: int, period_s: float = 60) -> list[dict]:
    """Rows of sensors.csv: each machine gets one sensor of each quantity, with a level and noise of its own."""
    rng = np.random.default_rng(seed)
    rows = []
    for lane, machine in enumerate(machines, start=1):
        for quantity in QUANTITIES:
            base = quantity.typical * rng.uniform(0.9, 1.1)
            sigma = quantity.sigma * rng.uniform(0.8, 1.25)
            rhythm = quantity.rhythm * sigma
            load = math.sqrt(quantity.load_share) * sigma / LOAD_SD
            row = {
                "sensor_id": f"{machine}/{quantity.name}",
                "machine_id": machine,
                "quantity": quantity.name,
                "unit": quantity.unit,
                "lower_limit": base - 2 * rhythm - load - LIMIT_SIGMAS * sigma,
                "upper_limit": base + 2 * rhythm + LIMIT_SIGMAS * sigma,
                "period_s": period_s,
                "base_value": base,
                "noise_sd": math.sqrt(1 - quantity.load_share) * sigma,
                "daily_amplitude": rhythm,
                "load_effect": load,
                "component_type": quantity.component_type,
                "component_manufacturer": str(rng.choice(MANUFACTURERS)),
                "lane_number": lane,
                "reason": "Nothing that a sound machine does comes near",
            }
            rows.append({name: f"{value:.4g}" if isinstance(value, float) else value for name, value in row.items()})
    return rows


def write_rows(file: Path, rows: list[dict]) -> None:
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_rows(file: Path) -> list[dict]:
    with file.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def demo_plant(folder: Path) -> Path:
    """A copy of the demo plant's folder, to change."""
    shutil.copytree(DEMO, folder)
    return folder
