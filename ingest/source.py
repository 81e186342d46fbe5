"""What a source hands to the loader: objects, each with an iterator over batches of records as received."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pipeline.origin import Origin

BATCH_ROWS = 131_072
"""Records per batch, about: large enough to be vectorised, small enough to bound memory."""


class Unreadable(Exception):
    """An object that can't be loaded as a whole; the message says why and what to do."""


class StillWritten(Exception):
    """An object that changed while it was read: left to the next run."""


class Unreachable(Exception):
    """A place that objects come from and that can't be read: its source fails for this run, the next one tries again.

    The message says why and what to do.
    """

    def __init__(self, place: str, reason: str):
        super().__init__(reason)
        self.place = place


@dataclass(frozen=True)
class Reject:
    """A record that did not even become a row: `row` is its 1-based position, `record` JSON text as received."""

    row: int
    record: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """Records as received. `rows` (int64, one per record) are their 1-based positions in the object."""

    records: pa.Table
    rows: np.ndarray
    rejects: list[Reject] = field(default_factory=list)
    sheet: str = ""
    """Title of the sheet that they are in."""
    cells: dict[str, str | None] = field(default_factory=dict)
    """Cells of that sheet that `columns:` names."""


@dataclass(frozen=True)
class Reading:
    """How plant.yml says that an object is to be read; see `pipeline.plant.RecordSource`."""

    timezone: str
    columns: dict[str, str] = field(default_factory=dict)
    """Contract column: the received column that its value is, or is made from by a map of values."""
    derived: dict[str, Origin] = field(default_factory=dict)
    """Contract column: where its value comes from, when that is more than another name."""
    where: str | None = None
    repeated_hour: str = "first"
    timestamp_formats: tuple[str, ...] = ()
    decimal_comma: bool = False
    key: str = ""
    """Stands for all that plant.yml says of it: another one is worth another try of an object that failed."""


@dataclass(frozen=True)
class Object:
    """A file, a day of the simulator, ...: what is loaded whole or not at all, into one table."""

    source: str
    table: str
    name: str
    version: str
    """Cheap to have, and different when the content may be: size and time of a file."""
    digest: Callable[[], str]
    """SHA-256 of the content, hexadecimal. May raise Unreadable, StillWritten or Unreachable."""
    batches: Callable[[], Iterator[Batch]]
    """Yields at least one batch unless it raises Unreadable, StillWritten or Unreachable."""
    reading: Reading
    set_aside: Callable[[str, str], None] | None = None
    """Keeps a copy of an unreadable object for a person to look at; given the load id and the reason."""
    latest_only: bool = False
    """The newest load holds all that counts (reference data), so content that comes back is loaded again."""
    known_in: frozenset[str] = frozenset()
    """Ids of the loads that may hold some of its records: those that are there unchanged are left out."""
    has_header: bool = True
    """False: what each record holds is its own affair, and others of another table say nothing of it."""
    needed: bool = True
    """False: when all its records are left out there is no load."""
    answer: Callable[[dict[int, list[str]]], None] | None = None
    """Tells those who wrote it what is wrong with it; given the columns at fault by row. Called before the load is
    committed, so that a kill loses no answer. May raise StillWritten."""
