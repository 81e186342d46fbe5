"""What a new version takes from earlier ones: a DuckDB file to go on from, and Parquet files that stay as they are.

The DuckDB file is a copy of the current version's. Parquet files are shared with it: hard links, never opened for
writing, since that would change the other version too.
"""

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from publish.tables import Table, partition
from publish.versions import PARQUET, current_version
from publish.weeks import Contents, Kept, Weeks, count, kept, read_contents, unnoted

NOT_HERE = (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


PIECE = 1 << 26


@dataclass(frozen=True)
class Predecessor:
    """A version to go on from: its folder, what it holds, and which of its weeks are those of the warehouse."""

    folder: Path
    contents: Contents
    kept: Kept

    def share(self, weeks: Weeks) -> float:
        """The share of the rows of `weeks`, those of the warehouse, that it holds."""
        return sum(weeks[name][week].rows for name, labels in self.kept.items() for week in labels) / (
            count(weeks) or 1
        )


def find_current(published: Path, tables: list[Table], now: Weeks) -> Predecessor | str:
    """The current version, or in words why a new one can't go on from it."""
    folder = current_version(published)
    return "there is no version to go on from" if folder is None else _look_at(folder, tables, now)


def _look_at(folder: Path, tables: list[Table], now: Weeks) -> Predecessor | str:
    contents = read_contents(folder)
    if contents is None:
        return f"version {folder.name} is damaged, or does not say which weeks it holds"
    if wrong := unnoted(now, contents):
        return wrong
    found = Predecessor(folder, contents, kept(tables, now, contents))
    return found if any(found.kept.values()) else "every week was written since"


def copy_file(source: Path, target: Path, *, flushing: bool = False) -> None:
    """Copies a file, by the file system itself where it can, as one that may be written to.

    `flushing`: bit by bit to the disk, too. All at once would hold up whoever else flushes files meanwhile.
    """
    with source.open("rb") as old, target.open("wb") as new:
        try:
            while os.copy_file_range(old.fileno(), new.fileno(), PIECE):
                if flushing:
                    os.fdatasync(new.fileno())
        except (OSError, AttributeError) as error:
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            old.seek(0)
            new.seek(0)
            shutil.copyfileobj(old, new, 1 << 24)


def share_parquet(version: Path, folder: Path, tables: list[Table], weeks: Kept) -> None:
    """Puts the Parquet files of `weeks` of an earlier version into `folder`: the same files, or copies of them."""
    for table in tables:
        for week in sorted(weeks.get(table.name, ())):
            source, target = (partition(place, table, week) for place in (version / PARQUET, folder))
            target.parent.mkdir(parents=True)
            try:
                os.link(source, target)
            except OSError as error:
                if error.errno not in NOT_HERE:
                    raise
                copy_file(source, target)
