"""A copy of a plant's state that can stand in for it: taken between runs, checked by opening it, restored into nothing.

<folder>/data/         the data directory without what is made anew (dbt's files, logs, what DuckDB spills)
<folder>/plant/        the plant folder
<folder>/backup.json   when, of which plant, and how many rows each table has; written last: without it, no backup
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingest.lake import PART, SCHEMAS
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
    _check_links(part / "data", paths.data)
    said("copying the plant folder")
    _copy(plant.folder, part / "plant", [paths.data, part])
    said("counting")
    rows = _checked(paths.data, part / "data")
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
    found = count(part)
    if found != expected:
        raise BackupError(f"{folder} is damaged: {_difference(found, expected)}")
    _flush(part)
    for item in sorted(part.iterdir()):
        os.rename(item, paths.data / item.name)
    return found


def count(data: Path) -> dict[str, int]:
    """Rows of every table of a data directory, by name: of the lake, of both engines, of the current publication.

    Raises BackupError for a file that can't be read.
    """
    rows = {}
    paths = Paths(data)
    with closing(duckdb.connect()) as connection:
        for name, files in _parquet(paths).items():
            with _reading(files):
                rows[name] = _count(connection, f"read_parquet({literal(files)}, union_by_name = true)")
        for name, file in _databases(paths).items():
            with _reading(file):
                connection.execute(f"attach {literal(file)} as {identifier(name)} (read_only)")
                which = f"where database_name = {literal(name)} order by all"
                tables = connection.execute(f"select schema_name, table_name from duckdb_tables() {which}").fetchall()
                for schema, table in tables:
                    rows[f"{name}.{schema}.{table}"] = _count(connection, identifier(name, schema, table))
    return rows


def _parquet(paths: Paths) -> dict[str, Path]:
    """The files of each table of the lake and of Spark's, as a pattern, by the table's name."""
    folders = {f"raw.{table}": paths.raw / table for table in SCHEMAS}
    folders |= {f"spark.{folder.parent.stem}.{folder.name}": folder for folder in paths.spark.glob("tables/*.db/*")}
    return {name: folder / "**" / "*.parquet" for name, folder in folders.items() if any(folder.rglob("*.parquet"))}


def _databases(paths: Paths) -> dict[str, Path]:
    """DuckDB's warehouse and the published file, where they are there."""
    version = current_version(paths.published)
    files = {"warehouse": paths.warehouse} | ({"published": version / MARTS} if version else {})
    return {name: file for name, file in files.items() if file.is_file()}


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Turns what DuckDB says of a damaged file into a BackupError that names it."""
    try:
        yield
    except duckdb.Error as error:
        raise BackupError(f"{file} can't be read: {' '.join(str(error).split())}") from error


def _checked(original: Path, copied: Path) -> dict[str, int]:
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
    """Files with their times: by these the loader knows which it has read. Links stay links. What is only half written,
    such as a status of a live source, may be gone before it is copied, and is no loss.
    """
    avoided = {path.resolve() for path in left_out}

    def ignore(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name.endswith(PART) or Path(folder, name).resolve() in avoided]

    shutil.copytree(source, target, symlinks=True, ignore=ignore)


def _check_links(copy: Path, original: Path) -> None:
    """Raises BackupError for a link out of the copy: what it leads to is not in it."""
    for parent, folders, files in os.walk(copy):
        for link in filter(Path.is_symlink, (Path(parent, name) for name in folders + files)):
            if not link.resolve().is_relative_to(copy.resolve()):
                raise BackupError(
                    f"{original / link.relative_to(copy)} is a link to {os.readlink(link)}, which the backup would not "
                    "hold: put the folder itself there, or mount it there"
                )


def _flush(folder: Path) -> None:
    """Sees that what was copied is on the disk."""
    for parent, _, names in os.walk(folder):
        for path in [Path(parent), *(Path(parent, name) for name in names)]:
            if not path.is_symlink():
                flush(path)
