"""Runs that are interrupted or killed, and what the next one makes of it."""

import os
import random
import signal
import time

import pytest
from comparison import differences
from nightly_plant import NightlyPlant, children, finish, kill


def wait_for_step(process, name: str) -> None:
    """Until the run says that a step has ended."""
    for line in process.stdout:
        if line.startswith(name):
            return
    raise AssertionError(f"the run ended before {name} did: {process.stderr.read()}")


def wait_for_dbt(process) -> None:
    wait_for_step(process, "ingest")
    while not children(process):
        time.sleep(0.01)
    time.sleep(1)


def wait_for_none(process, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while children(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children(process) == []


# Ctrl-C, or a stop by the system, leaves a dbt that writes on behind the next run's back
@pytest.mark.parametrize(("number", "to_children"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_an_interrupted_run_ends_dbt_and_says_so_in_a_line(number, to_children, nights, seasoned):
    process = seasoned.start()
    wait_for_dbt(process)
    if to_children:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    outcome = finish(process)
    assert outcome.code == 130
    assert outcome.err.strip() == "Interrupted: what is published stays, and the next run does the rest."
    wait_for_none(process)
    assert seasoned.version == nights.second.version


# the next run finds the warehouse locked and fails, or builds beside a dbt that still writes
def test_a_run_waits_for_the_dbt_of_a_run_that_was_killed(nights, seasoned):
    process = seasoned.start()
    wait_for_dbt(process)
    process.kill()
    process.wait()
    assert children(process)
    outcome = seasoned.run_well()
    assert "waiting for another run" in outcome.out
    wait_for_none(process)
    assert seasoned.version > nights.second.version
    assert len(seasoned.ledger()) == len(seasoned.loads())


STARTS_AFTER = ["", "ingest", "ingest", "build", "publish", "publish"]
"""The step after whose end a run is killed; '' is its start."""
LASTS = {"": 1.2, "ingest": 7, "build": 0.6, "publish": 2.5}
"""Seconds within which it is killed: about what the next step takes here."""


# a power cut loses or doubles records, or leaves marts that only a rebuild mends
def test_marts_are_right_after_runs_killed_at_any_moment(tmp_path):
    settings = {"SCALE": "0.01", "WEEKS": "1"}
    plant = NightlyPlant(tmp_path / "killed", settings=settings)
    draw = random.Random(20240101)
    versions = set()
    for step in STARTS_AFTER:
        process = plant.start()
        if step:
            wait_for_step(process, step)
        time.sleep(draw.uniform(0, LASTS[step]))
        kill(process)
        if (plant.data / "published" / "current").exists():  # whatever readers see is whole
            versions.add(plant.version)
            assert plant.published("select count(*) from report_run") == [(1,)]
    plant.run_well()
    assert plant.version not in versions

    days = {load[2].split("days=")[1] for load in plant.loads() if load[0] == "simulator"}
    undisturbed = NightlyPlant(tmp_path / "undisturbed", settings=settings)
    for _ in range(len(days) - 1):
        undisturbed.run_well("run", "--step", "ingest")
    undisturbed.run_well()
    assert sorted(load[:5] for load in plant.loads()) == sorted(load[:5] for load in undisturbed.loads())
    assert not differences(plant.tables(), undisturbed.tables())
