"""Local time to UTC and back, for whole columns, exactly as `zoneinfo` does it for one value.

A zone's offset is constant between its transitions. They are found with `zoneinfo` year by year, as years occur in the
data, by bisection to the second; a column is then converted by binary search among them. Times are int64 microseconds
since 1970-01-01 of their own clock; years 1900 to 2199.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

SECOND = 1_000_000
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1900, 2199

NO_FLAG, REPEATED_HOUR, MISSING_HOUR = 0, 1, 2


def local_to_utc(local: np.ndarray, zone: str, *, repeated: str = "first") -> tuple[np.ndarray, np.ndarray]:
    """UTC of local times, and a flag each: NO_FLAG, REPEATED_HOUR or MISSING_HOUR.

    A time that occurs twice is the first or, with `repeated="second"`, the second of the two. A time that is skipped is
    moved forward by the size of the gap (PEP 495, fold 0).
    """
    instants, offsets = _transitions_within(local, zone)
    if not len(instants):
        return local - offsets[0], np.zeros(len(local), np.int8)
    before, after = offsets[:-1], offsets[1:]
    first = offsets[np.searchsorted(instants + np.maximum(before, after), local, side="right")]
    second = offsets[np.searchsorted(instants + np.minimum(before, after), local, side="right")]
    flags = np.select([first > second, first < second], [REPEATED_HOUR, MISSING_HOUR], NO_FLAG).astype(np.int8)
    chosen = np.where(flags == REPEATED_HOUR, second, first) if repeated == "second" else first
    return local - chosen, flags


def utc_to_local(utc: np.ndarray, zone: str) -> np.ndarray:
    """Wall time of instants."""
    instants, offsets = _transitions_within(utc, zone)
    return utc + offsets[np.searchsorted(instants, utc, side="right")]


def changes_between(starts: np.ndarray, ends: np.ndarray, zone: str) -> np.ma.MaskedArray:
    """When the offset changes within each span, neither at its start nor at its end (UTC); masked where it does not."""
    instants, _ = _transitions_within(np.concatenate([starts, ends]), zone)
    places = np.searchsorted(instants, starts, side="right")
    found = np.append(instants, np.iinfo(np.int64).max)[places]
    return np.ma.masked_where(found >= ends, found)


def _transitions_within(times: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Transitions (UTC, k) and the offsets around them (k + 1) for the years of `times`, two days wider."""
    if not len(times):
        return np.array([], np.int64), np.array([0], np.int64)
    low, high = int(times.min()) - 2 * DAY, int(times.max()) + 2 * DAY
    return _transitions(zone, _year(low), _year(high))


def _year(time: int) -> int:
    return min(max((EPOCH + timedelta(microseconds=time)).year, FIRST_YEAR), LAST_YEAR)


@cache
def _transitions(zone: str, first_year: int, last_year: int) -> tuple[np.ndarray, np.ndarray]:
    found = [pair for year in range(first_year, last_year + 1) for pair in _transitions_of_year(zone, year)]
    start = _offset(zone, _start(first_year))
    instants = np.array([instant for instant, _ in found], np.int64)
    return instants, np.array([start] + [offset for _, offset in found], np.int64)


@cache
def _transitions_of_year(zone: str, year: int) -> list[tuple[int, int]]:
    """(instant, offset from then on) of each transition in a UTC year. No zone has two within one day."""
    found = []
    low, end = _start(year), _start(year + 1)
    offset = _offset(zone, low)
    while low < end:
        high = min(low + DAY, end)
        if (later := _offset(zone, high)) != offset:
            found.append((_bisect(zone, low, high, offset), later))
            offset = later
        low = high
    return found


def _bisect(zone: str, low: int, high: int, offset: int) -> int:
    """The second in (low, high] from which on the offset is no longer `offset`."""
    while high - low > SECOND:
        middle = (low + high) // (2 * SECOND) * SECOND
        low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
    return high


def _start(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def _offset(zone: str, utc: int) -> int:
    """Offset in microseconds at an instant."""
    moment = (EPOCH + timedelta(microseconds=utc)).astimezone(ZoneInfo(zone))
    return moment.utcoffset() // timedelta(microseconds=1)
