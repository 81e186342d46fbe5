"""Runs of one data directory take turns."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.paths import Paths


@contextmanager
def exclusive_run(paths: Paths, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Waits for whoever runs on the same data directory, after calling `waiting`; the system frees the lock of the dead."""
    paths.data.mkdir(parents=True, exist_ok=True)
    with (paths.data / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
