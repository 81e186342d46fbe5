"""Series as labelled benchmarks have them, made by chance: where they are flagged, and for how long."""

import numpy as np
import pandas as pd
import pytest

from evaluate.labelled import detect
from evaluate.series_file import read_files

START = pd.Timestamp("2024-03-04")
CLEAN = ["noise", "steps", "constant", "counts", "saw", "dirty"]


def remembering(rng, count: int, keeps: float) -> np.ndarray:
    """Noise of unit variance, each value of which is `keeps` of the one before, and something of its own."""
    values = rng.normal(size=count) * np.sqrt(1 - keeps**2)
    for at in range(1, count):
        values[at] += keeps * values[at - 1]
    return values


def machine(rng, count: int = 5000) -> tuple[np.ndarray, slice]:
    """A temperature every five minutes, and a level that changes for good."""
    value = 85 + 2 * remembering(rng, count, 0.97) + remembering(rng, count, 0.5)
    value[4000:] -= 22
    return value, slice(4000, 4200)


def passengers(rng) -> tuple[np.ndarray, slice]:
    """Half-hourly, by hour of the day and weekday, and a day off."""
    count = 48 * 7 * 10
    day = np.arange(count) // 48
    value = 1000 * (1 + 0.7 * np.sin(2 * np.pi * np.arange(count) / 48)) * np.where(day % 7 >= 5, 0.7, 1) + 100
    value *= 1 + 0.04 * remembering(rng, count, 0.5)
    value[48 * 51 : 48 * 52] *= 0.4
    return value, slice(48 * 51, 48 * 52)


def hours(rng) -> tuple[np.ndarray, slice]:
    """Hourly with a daily rhythm, and a day beyond it."""
    value = 50 + 6 * np.sin(2 * np.pi * np.arange(1400) / 24) + 1.5 * remembering(rng, 1400, 0.4)
    value[1000:1024] += 12
    return value, slice(1000, 1024)


def clean(name: str, rng, count: int = 3000) -> np.ndarray:
    """Series in which nothing is wrong."""
    at = np.arange(count)
    return {
        "noise": lambda: rng.normal(10, 3, count),
        "steps": lambda: np.repeat(rng.normal(10, 3, count // 30), 30) + rng.normal(0, 0.2, count),
        "constant": lambda: np.full(count, 7.0),
        "counts": lambda: rng.poisson(0.3, count).astype(float),
        "saw": lambda: at % 100 + rng.normal(size=count),
        "dirty": lambda: np.where(rng.random(count) < 0.02, np.nan, 5 + remembering(rng, count, 0.6)),
    }[name]()


def process(rng, fault: slice | None) -> pd.DataFrame:
    """Twenty minutes of a pump by the second: a flow that is slow to change, counted currents, heat that creeps up."""
    count = 1200
    table = pd.DataFrame(
        {
            "time": START + pd.to_timedelta(np.arange(count), unit="s"),
            "vibration": 0.2 + 0.004 * remembering(rng, count, 0.3),
            "current": np.round(1.4 + 0.25 * rng.normal(size=count), 2),
            "pressure": np.round(rng.normal(0.1, 0.25, count) / 0.327) * 0.327,
            "heat": 70 + np.arange(count) / 400 + 0.15 * remembering(rng, count, 0.9),
            "voltage": 229 + 7 * rng.normal(size=count),
            "flow": np.round(32 + 0.5 * rng.normal(size=count)),
            "anomaly": 0,
        }
    )
    if fault:
        table.loc[fault.start : fault.stop - 1, "flow"] -= 3
        table.loc[fault.start : fault.stop - 1, "vibration"] += 0.02
        table.loc[fault.start : fault.stop - 1, "anomaly"] = 1
    return table


FAULTS = {"machine": machine, "passengers": passengers, "hours": hours}
PERIOD = {"machine": "5min", "passengers": "30min", "hours": "1h"}


@pytest.fixture(scope="module")
def flagged(tmp_path_factory) -> dict[str, tuple[np.ndarray, slice]]:
    """By name: which rows were flagged, and those of the fault."""
    folder = tmp_path_factory.mktemp("kinds")
    spans: dict[str, slice] = {}
    for number, (name, make) in enumerate(FAULTS.items()):
        value, spans[name] = make(np.random.default_rng(number))
        times = START + np.arange(len(value)) * pd.Timedelta(PERIOD[name])
        pd.DataFrame({"timestamp": times, "value": value}).to_csv(folder / f"{name}.csv", index=False)
    for number, name in enumerate(CLEAN):
        rng = np.random.default_rng(100 + number)
        value = clean(name, rng)
        spans[name] = slice(0, 0)
        late = rng.integers(0, 200 if name == "dirty" else 1, len(value))
        times = START + np.arange(len(value)) * pd.Timedelta("5min") + pd.to_timedelta(late, unit="s")
        pd.DataFrame({"timestamp": times, "value": value}).to_csv(folder / f"{name}.csv", index=False)
    for name, fault in {"process": slice(600, 900), "sound": None}.items():
        process(np.random.default_rng(200), fault).to_csv(folder / f"{name}.csv", sep=";", index=False)
        spans[name] = fault or slice(0, 0)
    points, _ = detect(read_files(folder, "anomaly"))
    rows = {name.removesuffix(".csv"): part.is_flagged.to_numpy() for name, part in points.groupby("file", sort=False)}
    return {name: (rows[name], span) for name, span in spans.items()}


# A trouble that is flagged late, or not at all, is found by the customer.
@pytest.mark.parametrize(("name", "rows"), [("machine", 6), ("passengers", 24), ("hours", 6), ("process", 20)])
def test_a_trouble_is_flagged_soon(flagged, name, rows):
    is_flagged, fault = flagged[name]
    assert is_flagged[fault.start : fault.start + rows].any()


# What is back is over, and a level that stays is the new one: flags that go on hide the next trouble.
@pytest.mark.parametrize(("name", "rows"), [("machine", 400), ("passengers", 48), ("hours", 18), ("process", 30)])
def test_flags_end_with_the_trouble(flagged, name, rows):
    is_flagged, fault = flagged[name]
    assert not is_flagged[fault.stop + rows :].any()


@pytest.mark.parametrize("name", [*FAULTS, *CLEAN, "process", "sound"])
def test_what_is_usual_is_hardly_flagged(flagged, name):
    is_flagged, fault = flagged[name]
    before = is_flagged[: fault.start or None]
    assert before.sum() <= 0.005 * len(before)
