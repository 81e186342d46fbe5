"""One publication: from the warehouse of a green build to a version that readers see."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb

from pipeline.paths import Paths
from publish.draft import Draft
from publish.predecessor import Predecessor, find_current
from publish.quoting import identifier, literal
from publish.tables import read_tables
from publish.versions import KEEP, PublishError, Version, discard, locked, prune, stage, switch
from publish.weeks import read_weeks

Progress = Callable[[str], None]


class _EarlierVersionError(Exception):
    """Something went wrong in a version that goes on from an earlier one."""


def publish(paths: Paths, keep: int = KEEP, progress: Progress = lambda text: None, *, whole: bool = False) -> Version:
    """Publishes every table of schema marts and every view of schema publish; keeps the newest `keep` versions.

    At least two are kept: a reader may just be opening the one before. Weeks of the detail tables that no build wrote
    since the current version are taken from it, unless `whole`; where that goes wrong, everything is written from the
    warehouse. Waits while another publication runs; `progress` is called with each step.

    Raises PublishError; then the last version stays current and the new one is removed.
    """
    if keep < 2:
        raise ValueError(f"keep is {keep}, expected at least 2")
    started = time.monotonic()
    try:
        if not paths.warehouse.is_file():
            raise PublishError(f"{paths.warehouse} does not exist: nothing was built yet")
        with locked(paths.published, waiting=lambda: progress("waiting for another publication")):
            try:
                folder, rows = _make_version(paths, progress, "asked for" if whole else None)
            except _EarlierVersionError as error:
                progress(f"going on from an earlier version failed: {error}")
                folder, rows = _make_version(paths, progress, "second attempt")
            try:
                prune(paths.published, keep)
            except OSError as error:  # the new version is out; the old ones go next time
                progress(f"old versions were not removed: {error}")
    except (duckdb.Error, OSError) as error:
        raise PublishError(_line(error)) from error
    return Version(folder.name, folder.resolve(), rows, time.monotonic() - started)


def _make_version(paths: Paths, progress: Progress, reason_for_whole: str | None) -> tuple[Path, dict[str, int]]:
    """Writes, checks and switches to a version; its folder, and rows by table.

    The warehouse stays attached, read-only, in between: DuckDB's lock keeps a build from changing it meanwhile.
    """
    staged = stage(paths.published)
    try:
        with closing(connect(paths)) as connection:
            draft = _begin(connection, paths, staged)
            current = reason_for_whole or find_current(paths.published, draft.tables, draft.weeks)
            if isinstance(current, Predecessor):
                rows = _go_on(draft, current, progress)
            else:
                progress(f"writing {len(draft.tables)} tables whole: {current}")
                draft.write_whole()
                progress(f"checking {len(draft.tables)} tables")
                rows = draft.check()
        return switch(paths.published, staged, rows), rows
    finally:
        if staged.exists():
            discard(staged)


def _begin(connection: duckdb.DuckDBPyConnection, paths: Paths, staged: Path) -> Draft:
    warehouse = paths.warehouse.stem  # dbt's views name their tables with the database
    connection.execute(f"attach {literal(paths.warehouse)} as {identifier(warehouse)} (read_only)")
    tables = read_tables(connection, warehouse, "marts", "publish")
    if not tables:
        raise PublishError(f"{paths.warehouse} holds no table of schema marts: nothing to publish")
    return Draft(connection, staged, tables, read_weeks(connection, warehouse, tables))


def _go_on(draft: Draft, current: Predecessor, progress: Progress) -> dict[str, int]:
    weeks = sum(map(len, draft.weeks.values()))
    changed = weeks - sum(map(len, current.kept.values()))
    progress(f"writing {changed} of {weeks} weeks, {len(draft.tables)} tables")
    try:
        draft.go_on(current)
        progress(f"checking {changed} of {weeks} weeks, {len(draft.tables)} tables")
        return draft.check()
    except (duckdb.Error, OSError, PublishError) as error:
        raise _EarlierVersionError(_line(error)) from error


def connect(paths: Paths) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own, with the memory it may take; it spills into the data directory."""
    paths.temp.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        config={
            "memory_limit": os.environ.get("FIRSTPASS_MEMORY") or "6GB",
            "temp_directory": str(paths.temp),
            "autoinstall_known_extensions": False,
        }
    )
    connection.execute("set enable_progress_bar = false")  # it would fill the night's log
    return connection


def _line(error: Exception) -> str:
    return str(error) if isinstance(error, PublishError) else f"not published: {' '.join(str(error).split())}"
