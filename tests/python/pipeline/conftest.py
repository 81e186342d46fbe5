"""Two nights of a small demo plant, run once, and copies of their data that a test may spoil."""

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from nightly_plant import NightlyPlant, Outcome

# a shell lets what it runs in the background ignore interrupts, these tests and the runs they start included
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Night:
    """What a run said, and what was there after it."""

    outcome: Outcome
    version: str
    loads: list[tuple]
    ledger: set[str]
    tables: dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Nights:
    plant: NightlyPlant
    first: Night
    second: Night


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """Run from a folder that is not the project, on a data directory with a name that is hard to quote."""
    elsewhere = tmp_path_factory.mktemp("nights")
    plant = NightlyPlant(elsewhere / "x y" / "it's")
    return Nights(plant, *(_night(plant, elsewhere) for _ in range(2)))


def _night(plant: NightlyPlant, cwd: Path) -> Night:
    return Night(plant.run_well("run", cwd=cwd), plant.version, plant.loads(), plant.ledger(), plant.tables())


@pytest.fixture
def seasoned(nights: Nights, tmp_path: Path) -> NightlyPlant:
    """The plant as the two nights left it, in a directory of the test's own."""
    shutil.copytree(nights.plant.data, tmp_path / "data", symlinks=True)
    return NightlyPlant(tmp_path / "data")
