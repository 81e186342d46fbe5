"""The production days of a span of dates, and wall times on them as instants."""

from datetime import date

import numpy as np

from ingest import zones

DAY_S = 86_400


class Days:
    """Every date from `first` to `last`. A production day begins `day_start_s` seconds after midnight by the wall clock
    and lasts until the next: its length is the real one. `dates` are days since 1970-01-01, `starts` and `ends`
    microseconds since then, UTC."""

    def __init__(self, first: date, last: date, zone: str, day_start_s: int):
        self.zone = zone
        self.day_start_s = day_start_s
        self.first, self.last = first, last
        self.dates = np.arange(np.datetime64(first), np.datetime64(last) + 1).astype(np.int64)
        bounds = self.instants(np.append(self.dates, self.dates[-1] + 1), day_start_s)
        self.starts, self.ends = bounds[:-1], bounds[1:]

    def instants(self, dates: np.ndarray, seconds: int | np.ndarray) -> np.ndarray:
        """Of the wall time `seconds` after the midnight of each date. One that occurs twice is the first, one that is
        skipped is moved forward, as in records."""
        utc, _ = zones.local_to_utc((dates * DAY_S + seconds) * zones.SECOND, self.zone)
        return utc

    def valid(self, first: date | None, last: date | None) -> np.ndarray:
        """Which dates lie within, both ends included; None is open."""
        low = -np.inf if first is None else _number(first)
        high = np.inf if last is None else _number(last)
        return (self.dates >= low) & (self.dates <= high)

    def days_of_cycle(self, length: int, start: date | None) -> np.ndarray:
        """1 to `length` for each date. `start` is a day 1; None: Mondays are."""
        origin = -3 if start is None else _number(start)  # 1969-12-29 was a Monday
        return (self.dates - origin) % length + 1


def _number(day: date) -> int:
    return int(np.datetime64(day).astype(np.int64))
