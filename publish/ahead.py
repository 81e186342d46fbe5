"""What a publication can have done while the warehouse is still being built: the oldest version removed, and the DuckDB
file copied that the next version goes on from. Of years of history these take as long as writing what is new.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from pipeline.disk import flush
from publish.predecessor import copy_file
from publish.versions import KEEP, MARTS, current_version, locked, prune

AHEAD = ".ahead-"
"""Beside `versions/`; then the id of the version that was copied."""


@contextmanager
def copying_ahead(published: Path) -> Iterator[None]:
    """Makes room for the next version and copies the current one's file, in a thread of its own, which has ended when
    this does; on an error no copy is left. What can't be done is left to the publication, which says what is wrong.
    """
    _clear(published)
    version = current_version(published)
    copying = Thread(target=_prepare, args=(published, version)) if version else None
    if copying:
        copying.start()
    try:
        try:
            yield
        finally:
            if copying:
                copying.join()
    except BaseException:
        _clear(published)
        raise


def take(version: Path, target: Path) -> None:
    """Puts a copy of the file of the version in that folder at `target`: the one made ahead, where there is one."""
    published = version.parent.parent
    try:
        os.replace(_place(version), target)
    except OSError:
        copy_file(version / MARTS, target)
    _clear(published)


def _prepare(published: Path, version: Path) -> None:
    with suppress(OSError), locked(published, waiting=lambda: None):
        prune(published, KEEP - 1)
    place = _place(version)
    part = place.with_name(place.name + ".part")
    try:
        copy_file(version / MARTS, part, flushing=True)
        flush(part)
        os.replace(part, place)
    except OSError:
        part.unlink(missing_ok=True)


def _place(version: Path) -> Path:
    return version.parent.parent / (AHEAD + version.name)


def _clear(published: Path) -> None:
    for left in published.glob(AHEAD + "*"):
        left.unlink(missing_ok=True)
