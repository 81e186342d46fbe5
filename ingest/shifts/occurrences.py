"""Every shift of every line, and the breaks in it, as instants."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ingest.shifts.days import DAY_S, Days
from ingest.shifts.patterns import Break, Fault, Line, Shift

ALL_DAY = "all-day"
"""The shift of a line that works no pattern: the production day."""
SHIFT, BREAK = "shift", "break"
NONE = np.empty(0, np.int64)


@dataclass
class Kind:
    """What occurrences have in common: a line, a shift of a pattern, and of a break its name."""

    line_id: str | None
    shift_name: str
    crew: str | None
    kind: str
    name: str | None = None


@dataclass
class Occurrences:
    """`kinds[which]` says what each occurrence is; `dates` in days, `starts` and `ends` in microseconds, UTC."""

    kinds: list[Kind]
    which: np.ndarray
    dates: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def texts(self, name: str) -> pa.Array:
        values = pa.array([getattr(kind, name) for kind in self.kinds], pa.string())
        return values.take(pa.array(self.which, pa.int64()))

    def filtered(self, kept: np.ndarray) -> "Occurrences":
        """Those at `kept`, positions or a mask."""
        return Occurrences(self.kinds, self.which[kept], self.dates[kept], self.starts[kept], self.ends[kept])


def occurrences_of(lines: list[Line], days: Days, faults: list[Fault]) -> Occurrences:
    """Of all lines, each in order of time, a break after the shift that it is in. Adds the lines of reference data that
    are never used to `faults`."""
    usage = _Usage(days)
    found = [_of_line(line, days, usage) for line in lines]
    faults += usage.faults(lines)
    return _together(found)


def _of_line(line: Line, days: Days, usage: "_Usage") -> Occurrences:
    shifts, templates = _shifts(line, days, usage)
    breaks = _breaks(line, days, shifts, templates, usage)
    both = _together([shifts, breaks])
    order = np.lexsort([both.which >= len(shifts.kinds), both.starts])
    return both.filtered(order)


def _shifts(line: Line, days: Days, usage: "_Usage") -> tuple[Occurrences, list[tuple[str | None, int]]]:
    """The shifts of a line, and the pattern's name and second of start of each of their kinds."""
    working = ~np.isin(days.dates, np.array(line.holidays, "datetime64[D]").astype(np.int64))
    if not line.assignments:
        which = np.zeros(len(days.dates), np.int64)
        kinds = [Kind(line.line_id, ALL_DAY, None, SHIFT)]
        found = Occurrences(kinds, which, days.dates, days.starts, days.ends)
        return found.filtered(working), [(None, days.day_start_s)]
    chosen = np.full(len(days.dates), -1)
    for number, assignment in enumerate(line.assignments):
        chosen[days.valid(assignment.first, assignment.last)] = number
    kinds, templates, used, dates = [], [], [], []
    for number in np.unique(chosen[chosen >= 0]):
        assignment = line.assignments[number]
        usage.note(assignment.record)
        cycle_day = days.days_of_cycle(assignment.pattern.cycle_days, assignment.cycle_start)
        for shift in assignment.pattern.shifts:
            on = days.dates[(chosen == number) & (cycle_day == shift.cycle_day) & working]
            kinds.append(Kind(line.line_id, shift.name, shift.crew, SHIFT))
            templates.append((assignment.pattern.name, shift.start_s))
            used.append(shift)
            dates.append(on)
    which = np.repeat(np.arange(len(kinds)), [len(part) for part in dates])
    dates = np.concatenate([NONE, *dates])
    begin, finish = (np.array([getattr(it, name) for it in used], np.int64)[which] for name in ("start_s", "end_s"))
    found = Occurrences(kinds, which, dates, days.instants(dates, begin), days.instants(dates, finish))
    return _cut(found, used, usage), templates


def _cut(found: Occurrences, used: list[Shift], usage: "_Usage") -> Occurrences:
    """A shift ends where the next begins. Of two that begin at once, the pattern's first line counts."""
    found = _in_order(found.filtered(found.ends > found.starts))
    first = np.append(True, found.starts[1:] != found.starts[:-1])[: len(found.starts)]
    for which in np.unique(found.which[~first]):
        usage.note_double(used[which])
    found = found.filtered(first)
    found.ends[:-1] = np.minimum(found.ends[:-1], found.starts[1:])
    return found


def _breaks(
    line: Line, days: Days, shifts: Occurrences, templates: list[tuple[str | None, int]], usage: "_Usage"
) -> Occurrences:
    """Breaks, cut to their shifts; where two overlap, the later begins when the earlier is over."""
    parts = []
    for which in np.unique(shifts.which) if line.breaks else ():
        of = shifts.filtered(shifts.which == which)
        pattern, start_s = templates[which]
        for it in _applying(line.breaks, pattern, shifts.kinds[which].shift_name):
            next_day = DAY_S if it.start_s < start_s else 0
            starts = np.maximum(days.instants(of.dates, it.start_s + next_day), of.starts)
            ends = np.minimum(days.instants(of.dates, it.end_s + next_day), of.ends)
            kind = Kind(line.line_id, shifts.kinds[which].shift_name, shifts.kinds[which].crew, BREAK, it.name)
            part = Occurrences([kind], np.zeros(len(starts), np.int64), of.dates, starts, ends)
            parts.append(part.filtered(ends > starts))
            if len(parts[-1].starts):
                usage.note(it.record)
    found = _in_order(_together(parts))
    found.starts[1:] = np.maximum(found.starts[1:], np.maximum.accumulate(found.ends)[:-1])
    return found.filtered(found.ends > found.starts)


def _applying(breaks: list[Break], pattern: str | None, shift_name: str) -> Iterator[Break]:
    """Of the breaks of one name that fit, those with the most keys filled."""
    by_name = defaultdict(list)
    for it in breaks:
        if it.pattern in (None, pattern) and it.shift_name in (None, shift_name):
            by_name[it.name].append(it)
    for found in by_name.values():
        most = max(it.filled for it in found)
        yield from (it for it in found if it.filled == most)


def _in_order(found: Occurrences) -> Occurrences:
    return found.filtered(np.argsort(found.starts, kind="stable"))


def _together(parts: list[Occurrences]) -> Occurrences:
    offsets = np.cumsum([0] + [len(part.kinds) for part in parts])
    which = [part.which + offset for part, offset in zip(parts, offsets, strict=False)]
    times = ([getattr(part, name) for part in parts] for name in ("dates", "starts", "ends"))
    kinds = [kind for part in parts for kind in part.kinds]
    return Occurrences(kinds, *(np.concatenate([NONE, *arrays]) for arrays in (which, *times)))


class _Usage:
    """Which lines of reference data a calendar is made of."""

    def __init__(self, days: Days):
        self.days = days
        self.used: set[int] = set()
        self.doubles: dict[int, Shift] = {}

    def note(self, record: dict) -> None:
        self.used.add(id(record))

    def note_double(self, shift: Shift) -> None:
        self.doubles[id(shift.record)] = shift

    def faults(self, lines: list[Line]) -> list[Fault]:
        found = [
            Fault("shift_patterns", it.record, f"shift {it.name!r} begins when another of its line does: left out")
            for it in self.doubles.values()
        ]
        assignments = {id(it.record): it for line in lines for it in line.assignments}
        breaks = {id(it.record): it for line in lines for it in line.breaks}
        reason = "is never used: on all its dates another line counts, which names the line or is valid from later"
        found += [
            Fault("line_shifts", it.record, reason)
            for key, it in assignments.items()
            if key not in self.used and self.days.valid(it.first, it.last).any()
        ]
        reason = "is never used: it lies in no shift that it is for, or another break of its name says more"
        found += [Fault("breaks", it.record, reason) for key, it in breaks.items() if key not in self.used]
        return found
