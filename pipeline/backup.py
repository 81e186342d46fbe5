"""A copy of a plant's state that can stand in for it: taken between runs, checked by opening it, restored into nothing.

<folder>/data/         the data directory without what is made anew (dbt's files, logs, what DuckDB spills)
<folder>/plant/        the plant folder
<folder>/backup.json   when, of which plant, and how many rows each table has; written last: without it, no backup
"""

import json
import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingest.lake import SCHEMAS
from pipeline.disk import flush
from pipeline.paths import Paths
from pipeline.plant import Plant
from publish.quoting import identifier, literal
from publish.versions import MARTS, current_version

NOTE = "backup.json"
LEFT_OUT = ("target", "logs", "temp", "docs", ".lock")
"""Of the data directory: what a run makes anew."""


class BackupError(RuntimeError):
    """A backup or restore that did not happen; the message is one line."""


def back_up(plant: Plant, paths: Paths, folder: Path, said=lambda text: None) -> dict[str, int]:
    """Copies the state to `folder`, which must not be there yet; rows by table. Needs the run lock.

    Raises BackupError. What a killed or failed backup leaves is `<folder>.part`, which the next one replaces.
    """
    folder = folder.expanduser().absolute()
    if folder.exists():
        raise BackupError(f"{folder} is there already: name a folder that a backup can make")
    if not paths.raw.is_dir():
        raise BackupError(f"{paths.data} holds no records: there is nothing to back up")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    said("copying the data directory")
    _copy(paths.data, part / "data", [paths.data / name for name in LEFT_OUT] + [part, plant.folder])
    said("copying the plant folder")
    _copy(plant.folder, part / "plant", [paths.data, part])
    said("counting")
    rows = _checked(paths, Paths(part / "data", paths.engine))
    note = {"plant": plant.name, "taken_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "rows": rows}
    (part / NOTE).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    _flush(part)
    os.rename(part, folder)
    return rows


def restore(paths: Paths, folder: Path, said=lambda text: None) -> dict[str, int]:
    """Copies a backup's data into the data directory, which must hold nothing; rows by table. Needs the run lock.

    Raises BackupError. The data directory is as it was until all is copied and counted.
    """
    folder = folder.expanduser().absolute()
    if not (folder / NOTE).is_file():
        raise BackupError(f"{folder} is no backup: there is no {NOTE} in it")
    held = sorted(it.name for it in paths.data.iterdir() if it.name not in LEFT_OUT) if paths.data.is_dir() else []
    if held:
        raise BackupError(f"{paths.data} holds {held[0]}: restore into an empty directory, FIRSTPASS_DATA=<directory>")
    expected = json.loads((folder / NOTE).read_text(encoding="utf-8"))["rows"]
    part = paths.data / "temp" / "restored"
    shutil.rmtree(part, ignore_errors=True)
    said("copying")
    _copy(folder / "data", part, [])
    said("counting")
    found = count(Paths(part, paths.engine))
    if found != expected:
        raise BackupError(f"{folder} is damaged: {_difference(found, expected)}")
    _flush(part)
    for item in sorted(part.iterdir()):
        os.rename(item, paths.data / item.name)
    return found


def count(paths: Paths) -> dict[str, int]:
    """Rows of every table of the lake, the warehouse and the current publication, by name."""
    rows = {}
    with closing(duckdb.connect()) as connection:
        for table in SCHEMAS:
            if any((paths.raw / table).glob("*.parquet")):
                source = f"read_parquet({literal(paths.raw / table / '*.parquet')}, union_by_name = true)"
                rows[f"raw.{table}"] = _count(connection, source)
        version = current_version(paths.published)
        for name, file in {"warehouse": paths.warehouse, "published": version and version / MARTS}.items():
            if file and file.is_file():
                connection.execute(f"attach {literal(file)} as {identifier(name)} (read_only)")
                which = f"where database_name = {literal(name)} order by all"
                tables = connection.execute(f"select schema_name, table_name from duckdb_tables() {which}").fetchall()
                for schema, table in tables:
                    rows[f"{name}.{schema}.{table}"] = _count(connection, identifier(name, schema, table))
    return rows


def _checked(original: Paths, copied: Paths) -> dict[str, int]:
    found, expected = count(copied), count(original)
    if found != expected:
        raise BackupError(f"the copy is not what was copied: {_difference(found, expected)}")
    return found


def _difference(found: dict[str, int], expected: dict[str, int]) -> str:
    name = next(name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name))
    return f"{name} has {found.get(name)} rows, not {expected.get(name)}"


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    return connection.execute(f"select count(*) from {source}").fetchone()[0]


def _copy(source: Path, target: Path, left_out: list[Path]) -> None:
    """Files with their times: by these the loader knows which it has read. Links stay links."""
    avoided = {str(path) for path in left_out}

    def ignore(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if os.path.join(folder, name) in avoided]

    shutil.copytree(source, target, symlinks=True, ignore=ignore)


def _flush(folder: Path) -> None:
    """Sees that what was copied is on the disk."""
    for parent, _, names in os.walk(folder):
        for path in [Path(parent), *(Path(parent, name) for name in names)]:
            if not path.is_symlink():
                flush(path)
