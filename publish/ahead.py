"""The DuckDB file that the next version goes on from, copied while the warehouse is still being built: of years of
history, copying takes as long as writing what is new.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from pipeline.disk import flush
from publish.predecessor import copy_file
from publish.versions import MARTS, current_version

AHEAD = ".ahead-"
"""Beside `versions/`; then the id of the version that was copied."""


@contextmanager
def copying_ahead(published: Path) -> Iterator[None]:
    """Copies the current version's file in a thread of its own, which has ended when this does; on an error nothing of
    it is left. What can't be copied is left to the publication, which says what is wrong.
    """
    _clear(published)
    version = current_version(published)
    copying = Thread(target=_copy, args=(version,)) if version else None
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


def _copy(version: Path) -> None:
    place = _place(version)
    part = place.with_name(place.name + ".part")
    try:
        copy_file(version / MARTS, part)
        flush(part)
        os.replace(part, place)
    except OSError:
        part.unlink(missing_ok=True)


def _place(version: Path) -> Path:
    return version.parent.parent / (AHEAD + version.name)


def _clear(published: Path) -> None:
    for left in published.glob(AHEAD + "*"):
        left.unlink(missing_ok=True)
