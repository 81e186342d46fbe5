"""One publication: from the warehouse of a green build to a version that readers see."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb

from pipeline.paths import Paths
from publish.audit import STORAGE_VERSION, audit, check_storage
from publish.quoting import identifier, literal
from publish.tables import read_tables, write_database, write_parquet
from publish.versions import MARTS, PARQUET, PublishError, Version, discard, locked, prune, seal, stage, switch

VERSION = "version"
"""Name under which the new file is attached."""


def publish(paths: Paths, keep: int = 3, progress: Callable[[str], None] = lambda text: None) -> Version:
    """Publishes every table of schema marts and every view of schema publish; keeps the newest `keep` versions.

    At least two are kept: a reader may just be opening the one before. Nothing is taken from earlier versions, so
    whatever happened to them does no harm. Waits while another publication runs; `progress` is called with each step.

    Raises PublishError; then the last version stays current and the new one is removed.
    """
    if keep < 2:
        raise ValueError(f"keep is {keep}, expected at least 2")
    started = time.monotonic()
    published = paths.published
    try:
        if not paths.warehouse.is_file():
            raise PublishError(f"{paths.warehouse} does not exist: nothing was built yet")
        with locked(published, waiting=lambda: progress("waiting for another publication")):
            staged = stage(published)
            try:
                rows = _write_and_audit(paths, staged, progress)
                folder = switch(published, staged, rows)
            finally:
                if staged.exists():
                    discard(staged)
            try:
                prune(published, keep)
            except OSError as error:  # the new version is out; the old ones go next time
                progress(f"old versions were not removed: {error}")
    except (duckdb.Error, OSError) as error:
        raise PublishError(f"not published: {' '.join(str(error).split())}") from error
    return Version(folder.name, folder.resolve(), rows, time.monotonic() - started)


def _write_and_audit(paths: Paths, staged: Path, progress: Callable[[str], None]) -> dict[str, int]:
    """Writes the version into `staged` and reads it back; rows by table.

    The warehouse stays attached, read-only, in between: DuckDB's lock keeps a build from changing it meanwhile.
    """
    with closing(connect(paths)) as connection:
        warehouse = paths.warehouse.stem  # dbt's views name their tables with the database
        connection.execute(f"attach {literal(paths.warehouse)} as {identifier(warehouse)} (read_only)")
        tables = read_tables(connection, warehouse, "marts", "publish")
        if not tables:
            raise PublishError(f"{paths.warehouse} holds no table of schema marts: nothing to publish")
        progress(f"writing {len(tables)} tables")
        file = staged / MARTS
        connection.execute(f"attach {literal(file)} as {VERSION} (storage_version {literal(STORAGE_VERSION)})")
        write_database(connection, tables, VERSION)
        write_parquet(connection, tables, VERSION, staged / PARQUET)
        connection.execute(f"detach {VERSION}")
        seal(staged)
        progress(f"checking {len(tables)} tables")
        _check_files(staged)
        check_storage(file)
        connection.execute(f"attach {literal(file)} as {VERSION} (read_only)")
        return audit(connection, tables, read_tables(connection, VERSION, "main"), staged / PARQUET)


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


def _check_files(staged: Path) -> None:
    """No file but those that belong to a version: above all no write-ahead log."""
    expected = {MARTS, PARQUET}
    found = {path.name for path in staged.iterdir()}
    if found != expected:
        raise PublishError(f"{', '.join(sorted(found ^ expected))}: unexpected or missing in the version's folder")
