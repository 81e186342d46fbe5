"""Reference data of shifts as a plant wrote it: read, checked, and sorted out by line.

What can't be followed becomes a `Fault` and counts as not written.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from ingest.shifts.days import DAY_S

FILES = ["shift_patterns", "line_shifts", "breaks", "holidays", "lines", "machines"]
WEEK = 7
TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?")
Rows = list[dict]


@dataclass(frozen=True)
class Fault:
    """A line of `<file>.csv` that can't be followed; `row` is its place there, from 1."""

    file: str
    record: dict
    reason: str

    @property
    def row(self) -> int:
        return self.record["_row"]


@dataclass(frozen=True)
class Shift:
    """A shift of a pattern. Seconds from midnight of the date on which it starts; `end_s` may lie on the next."""

    record: dict
    cycle_day: int
    name: str
    crew: str | None
    start_s: int
    end_s: int


@dataclass(frozen=True)
class Pattern:
    name: str
    cycle_days: int
    shifts: list[Shift]


@dataclass(frozen=True)
class Assignment:
    """A pattern that a line, or where `line_id` is None every line, works from `first` to `last`."""

    record: dict
    line_id: str | None
    pattern: Pattern
    first: date | None
    last: date | None
    cycle_start: date | None


@dataclass(frozen=True)
class Break:
    """Seconds from midnight; `end_s` may be more than a day. None is any."""

    record: dict
    pattern: str | None
    line_id: str | None
    shift_name: str | None
    name: str | None
    start_s: int
    end_s: int

    @property
    def filled(self) -> int:
        """How many of its keys say something."""
        return sum(key is not None for key in (self.pattern, self.line_id, self.shift_name))


@dataclass(frozen=True)
class Line:
    """What holds for a line; `line_id` is None for machines without one. Assignments: what wins comes last."""

    line_id: str | None
    assignments: list[Assignment] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    holidays: list[date] = field(default_factory=list)


def read_lines(rows: dict[str, Rows]) -> tuple[list[Line], list[Fault]]:
    """`rows` by name of the file (FILES), with `_row`; the line without a name comes first."""
    faults: list[Fault] = []
    known = {row["line_id"] for row in rows["machines"] + rows["lines"]} - {None}
    rows = {name: list(_of_known_lines(name, found, known, faults)) if known else found for name, found in rows.items()}
    assignments = list(_assignments(rows["line_shifts"], _patterns(rows["shift_patterns"], faults), faults))
    assignments.sort(key=_weight)
    breaks = list(_breaks(rows["breaks"], faults))
    names = known | {row["line_id"] for name in ("line_shifts", "breaks", "holidays") for row in rows[name]}
    lines = [
        Line(
            line_id,
            [it for it in assignments if it.line_id in (None, line_id)],
            [it for it in breaks if it.line_id in (None, line_id)],
            [row["holiday_date"] for row in rows["holidays"] if row["line_id"] in (None, line_id)],
        )
        for line_id in [None, *sorted(names - {None})]
    ]
    return lines, faults


def _of_known_lines(file: str, rows: Rows, known: set[str], faults: list[Fault]) -> Iterable[dict]:
    for row in rows:
        if row.get("line_id") and row["line_id"] not in known:
            reason = f"line_id {row['line_id']!r} is in neither lines.csv nor machines.csv"
            faults.append(Fault(file, row, reason))
        else:
            yield row


def _patterns(rows: Rows, faults: list[Fault]) -> dict[str, Pattern]:
    lengths: dict[str, int] = {}
    shifts = defaultdict(list)
    for row in rows:
        length = lengths.setdefault(row["pattern"], row["cycle_days"])
        start, end, reason = _times(row)
        if row["cycle_days"] != length:
            reason = f"cycle_days {row['cycle_days']} is not the {length} of the pattern's first line"
        elif row["cycle_day"] > length:
            reason = f"cycle_day {row['cycle_day']} is beyond the cycle of {length} days"
        if reason:
            faults.append(Fault("shift_patterns", row, reason))
        else:
            shift = Shift(row, row["cycle_day"], row["shift_name"], row["crew"], start, end)
            shifts[row["pattern"]].append(shift)
    return {name: Pattern(name, lengths[name], found) for name, found in shifts.items()}


def _assignments(rows: Rows, patterns: dict[str, Pattern], faults: list[Fault]) -> Iterable[Assignment]:
    for row in rows:
        pattern = patterns.get(row["pattern"])
        first, last, start = row["valid_from"], row["valid_to"], row["cycle_start"]
        reason = None
        if pattern is None:
            reason = f"pattern {row['pattern']!r} has no usable line in shift_patterns.csv"
        elif first and last and last < first:
            reason = f"valid_to {last} is before valid_from {first}"
        elif pattern.cycle_days != WEEK and start is None:
            reason = f"cycle_start is missing: which date is day 1 of the {pattern.cycle_days} of {row['pattern']!r}?"
        if reason:
            faults.append(Fault("line_shifts", row, reason))
        else:
            start = None if pattern.cycle_days == WEEK else start
            yield Assignment(row, row["line_id"], pattern, first, last, start)


def _weight(it: Assignment) -> tuple:
    """Higher is stronger: the line is named, then the latest valid_from, then the first line of the file."""
    return it.line_id is not None, it.first or date.min, -it.record["_row"]


def _breaks(rows: Rows, faults: list[Fault]) -> Iterable[Break]:
    for row in rows:
        start, end, reason = _times(row)
        if reason:
            faults.append(Fault("breaks", row, reason))
        else:
            yield Break(row, row["pattern"], row["line_id"], row["shift_name"], row["name"], start, end)


def _times(row: dict) -> tuple[int, int, str | None]:
    """Start and end in seconds from midnight, the end of the next day where it is not after the start; a fault."""
    seconds = []
    for name in ("start_time", "end_time"):
        found = TIME.fullmatch(row[name])
        second = (
            sum(int(part or 0) * size for part, size in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0
        )
        if not found or second > DAY_S or (second == DAY_S and name == "start_time"):
            return 0, 0, f"{name} {row[name]!r} is not a time of day such as 06:00"
        seconds.append(second)
    start, end = seconds
    return start, end if end > start else end + DAY_S, None
