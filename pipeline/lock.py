"""Runs of one data directory take turns."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipeline.paths import Paths

WAITING = "waiting for another run on the same data directory"


@contextmanager
def exclusive_run(paths: Paths, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Waits for whoever runs on the same data directory, after calling `waiting`.

    The system frees the lock of the dead. Children inherit it (`pipeline.build`): a dbt whose parent was killed still
    writes, and the next run has to wait for it.
    """
    paths.data.mkdir(parents=True, exist_ok=True)
    with (paths.data / ".lock").open("a") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
