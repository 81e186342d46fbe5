"""Production days as instants: day d of a history begins at the plant's day start, local time, on `start` + d days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class ProductionDays:
    """A day with a clock change is longer or shorter by it; within a day, time is elapsed time."""

    start: date
    timezone: str
    day_start: time

    def begin(self, day: int) -> int:
        """Beginning of `day` (0 is `start`), in microseconds since 1970 UTC.

        A local time that a clock change skips is shifted forward, one that it repeats is the first.
        """
        local = datetime.combine(self.start + timedelta(days=day), self.day_start, ZoneInfo(self.timezone))
        return (local.astimezone(UTC) - EPOCH) // MICROSECOND

    def begins(self, first: int, last: int) -> np.ndarray:
        """Beginnings of the days first ... last (both included), int64 microseconds."""
        return np.array([self.begin(day) for day in range(first, last + 1)], dtype=np.int64)
