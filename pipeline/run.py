"""The nightly run: ingest, build, publish, report; each step only after the one before. Last, where the plant keeps
things for a time only: what is too old."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from ingest import Load, load_all, load_landed
from ingest.__main__ import summary
from ingest.contract import CALENDAR_TABLES
from pipeline.build import build, check_green, is_green
from pipeline.lock import WAITING, exclusive_run
from pipeline.paths import Paths
from pipeline.plant import Plant
from pipeline.retention import Held, due, retain
from pipeline.screen import Screen
from pipeline.streams import GAPS, StreamSource
from pipeline.targets import DatabaseTarget
from publish import PublishError, Version, copying_ahead, publish

STEPS = ["ingest", "build", "publish", "report"]


class TargetError(RuntimeError):
    """A further target did not get what is published here; the message is one line."""


class ReportError(RuntimeError):
    """The reports could not be written; the message is one line."""


@dataclass
class Run:
    """What a run did: seconds by step, the loads, the version and the reports."""

    seconds: dict[str, float] = field(default_factory=dict)
    loads: list[Load] = field(default_factory=list)
    version: str | None = None
    reports: list = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What a person should know of what was written into further targets."""
    failures: list[str] = field(default_factory=list)
    """Further targets that were not written, a line each."""


def run(plant: Plant, paths: Paths, screen: Screen, steps: list[str] = STEPS) -> Run:
    """Runs `steps` in their order, and says at the end, whatever came of them, what could not be loaded.

    Raises what a step raises; later steps are then not begun. A further target that fails, though, is one that the
    next run repairs: TargetError is raised when all else is done.
    """
    with _run(plant, paths, screen) as done:
        _run_steps(done, plant, paths, screen, steps)
    return done


def refresh(plant: Plant, paths: Paths, screen: Screen) -> Run:
    """A short run between two nights: loads what live sources have landed, builds what is made of it, and publishes.

    Where the last build failed, all is built. Before the first night it leaves what is landed to that. Raises as `run`.
    """
    with _run(plant, paths, screen) as done:
        if not paths.warehouse.is_file():
            screen.say("nothing was built yet: `make run` loads what is landed, too")
            return done
        with _timed(done, "ingest"), screen.step("ingest") as step:
            done.loads = load_landed(plant, paths, step.reading)
            step.done(_loaded(done.loads))
        if any(load.status == "loaded" for load in done.loads):
            tables = sorted({GAPS, *(source.table for source in plant.sources if isinstance(source, StreamSource))})
            with copying_ahead(paths.published):
                _build(done, paths, screen, tables if is_green(paths) else [])
            _publish(done, plant, paths, screen)
    return done


@contextmanager
def _run(plant: Plant, paths: Paths, screen: Screen) -> Iterator[Run]:
    """In its turn. At the end, however it comes, what a person has to look at is said."""
    done = Run()
    with exclusive_run(paths, waiting=lambda: screen.say(WAITING)):
        try:
            yield done
        finally:
            for line in _troubles(done.loads, paths) + done.remarks:
                screen.say(line)
            for line in done.failures:
                screen.say(f"not published: {line}")
    if done.failures:
        raise TargetError(
            f"{len(done.failures)} of {len(plant.publish)} targets in plant.yml still have the version before: see "
            "'not published' above. All else is done; the next run tries again."
        )


def _run_steps(done: Run, plant: Plant, paths: Paths, screen: Screen, steps: list[str]) -> None:
    if "ingest" in steps:
        with _timed(done, "ingest"), screen.step("ingest") as step:
            done.loads = load_all(plant, paths, step.reading)
            step.done(_loaded(done.loads))
    held = Held.now(paths) if "build" in steps and plant.retention.model_fields_set else None
    if "build" in steps:
        with copying_ahead(paths.published) if "publish" in steps else nullcontext():
            _build(done, paths, screen)
    if "publish" in steps:
        _publish(done, plant, paths, screen)
    if "report" in steps:
        with _timed(done, "report"), screen.step("report") as step:
            import report  # its chart library takes a second to import

            try:
                done.reports = report.render(paths.published)
            except report.PublicationError as error:
                raise ReportError(str(error)) from error
            step.done(f"{len(done.reports)} files: {paths.published / 'reports' / 'latest'}")
    if held and "publish" in steps and due(plant, paths, held):
        with _timed(done, "retention"), screen.step("retention") as step:
            step.done(retain(plant, paths, held, step.saying))


def _build(done: Run, paths: Paths, screen: Screen, refreshed: Collection[str] = ()) -> None:
    with _timed(done, "build"), screen.step("build") as step:
        built = build(paths, progress=step.counting, refreshed=refreshed)
        step.done(f"{built.models} models, {built.tests} tests passed")


def _publish(done: Run, plant: Plant, paths: Paths, screen: Screen) -> None:
    with _timed(done, "publish"), screen.step("publish") as step:
        check_green(paths)
        version = publish(paths, progress=step.saying)
        done.version = version.id
        step.done(f"version {version.id}: {paths.published / 'marts.duckdb'}")
    for target in plant.publish:
        with _timed(done, "publish"), screen.step("publish") as step:
            step.done(_send(done, target, version, plant=plant.name, paths=paths, progress=step.saying))


def _send(
    done: Run, target: DatabaseTarget, version: Version, *, plant: str, paths: Paths, progress: Callable[[str], None]
) -> str:
    """Sends the version to a further target; what came of it, in words."""
    from publish.databases import read_keys, send  # most plants need no SQLAlchemy

    try:
        keys = read_keys(paths.target / "manifest.json")
        sent = send(paths, version, target, plant=plant, keys=keys, progress=progress)
    except PublishError as error:
        done.failures.append(str(error))
        return "failed: see below"
    done.remarks += [f"{sent.name}: {note}" for note in sent.notes]
    return f"{sent.name}: {len(sent.tables)} tables, {sum(sent.tables.values()):,} rows"


@contextmanager
def _timed(done: Run, name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    done.seconds[name] = done.seconds.get(name, 0) + time.monotonic() - started


def _loaded(loads: list[Load]) -> str:
    """What came, in words; the calendar is made here, and did not come."""
    records = [load for load in loads if load.status == "loaded" and load.table_name not in CALENDAR_TABLES]
    rejects = sum(load.reject_count for load in records)
    filtered = sum(load.filtered_count for load in records)
    failed = sum(load.status == "failed" for load in loads)
    return (
        f"{sum(load.row_count for load in records):,} rows in {len(records)} loads"
        + (f", {rejects:,} rejected" if rejects else "")
        + (f", {filtered:,} left out" if filtered else "")
        + (f", {failed} objects failed" if failed else "")
    )


def _troubles(loads: list[Load], paths: Paths) -> list[str]:
    """What of the summary a person has to look at."""
    return [
        line for line in summary(loads, paths) if line.startswith(("failed: ", "deferred: ")) or "rejected; " in line
    ]
