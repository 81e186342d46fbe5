"""The nightly run: ingest, build, publish, report; each step only after the one before. Last, where the plant keeps
things for a time only: what is too old."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from ingest import Load, load_all
from ingest.__main__ import summary
from pipeline.build import build, check_green
from pipeline.lock import exclusive_run
from pipeline.paths import Paths
from pipeline.plant import Plant
from pipeline.retention import Held, due, retain
from pipeline.screen import Screen
from publish import publish

WAITING = "waiting for another run on the same data directory"
STEPS = ["ingest", "build", "publish", "report"]


class ReportError(RuntimeError):
    """The reports could not be written; the message is one line."""


@dataclass
class Run:
    """What a run did: seconds by step, the loads, the version and the reports."""

    seconds: dict[str, float] = field(default_factory=dict)
    loads: list[Load] = field(default_factory=list)
    version: str | None = None
    reports: list = field(default_factory=list)


def run(plant: Plant, paths: Paths, screen: Screen, steps: list[str] = STEPS, report_date: date | None = None) -> Run:
    """Runs `steps` in their order, and says at the end, whatever came of them, what could not be loaded.

    Raises what a step raises; later steps are then not begun.
    """
    done = Run()
    with exclusive_run(paths, waiting=lambda: screen.say(WAITING)):
        try:
            _run_steps(done, plant, paths, screen, steps=steps, report_date=report_date)
        finally:
            for line in _troubles(done.loads, paths):
                screen.say(line)
    return done


def _run_steps(
    done: Run, plant: Plant, paths: Paths, screen: Screen, *, steps: list[str], report_date: date | None
) -> None:
    if "ingest" in steps:
        with _timed(done, "ingest"), screen.step("ingest") as step:
            done.loads = load_all(plant, paths, step.reading)
            step.done(_loaded(done.loads))
    held = Held.now(paths) if "build" in steps and plant.retention.model_fields_set else None
    if "build" in steps:
        with _timed(done, "build"), screen.step("build") as step:
            built = build(paths, progress=step.counting)
            step.done(f"{built.models} models, {built.tests} tests passed")
    if "publish" in steps:
        with _timed(done, "publish"), screen.step("publish") as step:
            check_green(paths)
            version = publish(paths, progress=step.saying)
            done.version = version.id
            step.done(f"version {version.id}: {paths.published / 'marts.duckdb'}")
    if "report" in steps:
        with _timed(done, "report"), screen.step("report") as step:
            import report  # its chart library takes a second to import

            try:
                done.reports = report.render(paths.published, report_date)
            except report.PublicationError as error:
                raise ReportError(str(error)) from error
            step.done(f"{len(done.reports)} files: {paths.published / 'reports' / 'latest'}")
    if held and "publish" in steps and due(plant, paths, held):
        with _timed(done, "retention"), screen.step("retention") as step:
            step.done(retain(plant, paths, held, step.saying))


@contextmanager
def _timed(done: Run, name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    done.seconds[name] = time.monotonic() - started


def _loaded(loads: list[Load]) -> str:
    records = [load for load in loads if load.status == "loaded"]
    rejects = sum(load.reject_count for load in records)
    failed = sum(load.status == "failed" for load in loads)
    return (
        f"{sum(load.row_count for load in records):,} rows in {len(records)} loads"
        + (f", {rejects:,} rejected" if rejects else "")
        + (f", {failed} objects failed" if failed else "")
    )


def _troubles(loads: list[Load], paths: Paths) -> list[str]:
    """What of the summary a person has to look at."""
    return [
        line for line in summary(loads, paths) if line.startswith(("failed: ", "deferred: ")) or "rejected; " in line
    ]
