"""The folder `published/`: versions side by side, and what makes one of them current.

versions/<id>/marts.duckdb, versions/<id>/parquet/   a version, whole and never changed
versions/<id>/weeks.json                             which build wrote its weeks (publish/weeks.py)
versions/.<id>.tmp/                                  one being written, or left by a killed publication
current -> versions/<id>                             replaced by one rename: the publication
marts.duckdb -> current/marts.duckdb, parquet -> current/parquet
current.json                                         the same, for file systems without symbolic links
"""

import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.disk import flush

ID_FORMAT = "%Y%m%dT%H%M%S.%fZ"
ID = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
MARTS, PARQUET, CURRENT, CURRENT_JSON = "marts.duckdb", "parquet", "current", "current.json"
LOG = MARTS + ".wal"
NOWHERE = "read-only/no-write-ahead-log"
"""Target of the link that stands where DuckDB would put a write-ahead log. It can't be read, so there is no log to
replay; its folder does not exist, so there can't be one, and a client that opened the file for writing is refused at
its first change, root included. Without it, DuckDB before 1.5 puts the log of `published/marts.duckdb` beside that
link, and replays it on the next version."""

KEEP = 3
"""Versions that stay once a new one is out, unless somebody asks for another number."""

NO_LINKS = (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class PublishError(Exception):
    """A publication that did not happen; the last version stays. The message is one line for the person on duty."""


@dataclass(frozen=True)
class Version:
    """A published version: `folder` is absolute and never changes, `tables` has the number of rows by name."""

    id: str
    folder: Path
    tables: dict[str, int]
    seconds: float


def current_version(published: Path) -> Path | None:
    """The folder of the current version, links resolved, or None. Read from there whatever has to fit together."""
    if (published / CURRENT).is_symlink():
        folder = (published / CURRENT).resolve()
    elif (published / CURRENT_JSON).is_file():
        folder = published.resolve() / json.loads((published / CURRENT_JSON).read_text(encoding="utf-8"))["folder"]
    else:
        return None
    return folder if folder.is_dir() else None


@contextmanager
def locked(published: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """One publication at a time: waits for the other one, after calling `waiting`. A killed one holds no lock."""
    published.mkdir(parents=True, exist_ok=True)
    with (published / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stage(published: Path) -> Path:
    """Clears away what killed publications left and makes the folder of a new version, `versions/.<id>.tmp`.

    The id is the time in UTC, or just after the newest version if the clock was set back.
    """
    versions = published / "versions"
    versions.mkdir(exist_ok=True)
    for left in versions.glob(".*.tmp"):
        shutil.rmtree(left, ignore_errors=True)  # next time, if a share still holds it
    moment = datetime.now(UTC)
    if known := _ids(versions):
        moment = max(moment, datetime.strptime(known[-1], ID_FORMAT).replace(tzinfo=UTC) + timedelta(microseconds=1))
    staged = versions / f".{moment.strftime(ID_FORMAT)}.tmp"
    staged.mkdir()
    return staged


def seal(folder: Path) -> None:
    """Makes the files under `folder` read-only and sees that they, and the folders, are on the disk.

    A file that is read-only already is an earlier version's, too, and was sealed with that.
    """
    for parent, _, files in os.walk(folder, topdown=False):
        for name in files:
            file = Path(parent) / name
            if file.stat().st_mode & 0o222:
                try:
                    file.chmod(0o444)
                except PermissionError:  # vfat can only drop the right to write
                    file.chmod(file.stat().st_mode & ~0o222)
                flush(file)
        flush(Path(parent))


def switch(published: Path, staged: Path, tables: dict[str, int]) -> Path:
    """Makes the sealed folder `staged` a version and the current one; gives its folder.

    Everything that is likely to fail comes before the rename that publishes.
    """
    links = link(staged / LOG, NOWHERE)
    flush(staged)
    folder = staged.with_name(staged.name.removeprefix(".").removesuffix(".tmp"))
    place = folder.relative_to(published)
    description = {
        "version": folder.name,
        "folder": str(place),
        "marts": str(place / MARTS),
        "parquet": str(place / PARQUET),
        "tables": tables,
    }
    fresh = published / f".{CURRENT_JSON}.fresh"
    fresh.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    flush(fresh)
    os.rename(staged, folder)
    flush(folder.parent)
    try:
        if links:
            link(published / LOG, NOWHERE)
            link(published / MARTS, f"{CURRENT}/{MARTS}")
            link(published / PARQUET, f"{CURRENT}/{PARQUET}")
            link(published / CURRENT, str(place))
        elif (published / CURRENT).is_symlink():
            raise PublishError(f"{published / CURRENT} is a link, but links can't be made here any more: remove it")
        os.replace(fresh, published / CURRENT_JSON)
    except BaseException:
        if current_version(published) != folder.resolve():
            discard(folder)
        raise
    flush(published)
    return folder


def link(path: Path, target: str) -> bool:
    """Puts a symbolic link at `path` in one step, in place of whatever file or link is there.

    False where the file system has no symbolic links.
    """
    if path.is_symlink() and os.readlink(path) == target:
        return True
    if path.is_dir() and not path.is_symlink():
        raise PublishError(f"{path} is a folder where a link belongs: move it away")
    fresh = path.with_name(f".{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    try:
        os.symlink(target, fresh)
    except OSError as error:
        if error.errno in NO_LINKS:
            return False
        raise
    os.replace(fresh, path)
    return True


def prune(published: Path, keep: int) -> None:
    """Removes all but the newest `keep` versions and the current one; a reader that has one open is not disturbed."""
    current = current_version(published)
    versions = published / "versions"
    for name in _ids(versions)[:-keep]:
        if current is not None and name != current.name:
            discard(versions / name)


def discard(folder: Path) -> None:
    """Removes a version, first from sight: one that is removed in part is never taken for a version."""
    if not folder.name.startswith("."):
        folder = folder.rename(folder.with_name(f".{folder.name}.tmp"))
    shutil.rmtree(folder)


def _ids(versions: Path) -> list[str]:
    return sorted(folder.name for folder in versions.iterdir() if ID.fullmatch(folder.name))
