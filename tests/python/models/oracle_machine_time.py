"""Machine time once more, in loops over records: for each moment at which anything changes, what is the machine doing?

Shares no code with the models, so that where both agree, both read docs/machine_time.md the same way. Times are naive
datetimes in UTC. The schedule comes from the calendar that the loader made.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import floor

WEEK = timedelta(days=7)
GROUPS = {
    "APT": ["production", "performance_stop", "retest", "unplanned_production"],
    "AUST": ["setup"],
    "ADET": ["malfunction", "minor_stop", "interruption"],
    "ADOT": ["starved", "blocked", "no_operator", "no_material", "no_order", "idle", "late_start", "early_end"],
    "planned_downtime": ["break", "planned_maintenance", "planned_stop"],
    "unscheduled": ["unscheduled", "holiday", "closed"],
    "no_data": ["no_data"],
}
GROUP_OF = {bucket: group for group, buckets in GROUPS.items() for bucket in buckets}
BUSY = ("APT", "AUST", "ADET", "ADOT")
WORDS = {"run": "production", "down": "malfunction", "setup": "setup", "pause": "break", "starved": "starved"}
CLASSES = [(5, "performance"), (60, "performance"), (300, "delay")]
RUNS_ON = timedelta(seconds=5)


@dataclass
class Day:
    production_date: date
    start: datetime
    end: datetime
    known_from: datetime
    known_to: datetime


@dataclass
class Line:
    """Spans are (start, end), half open; `shifts` (start, end, name) do not overlap."""

    shifts: list[tuple[datetime, datetime, str]]
    breaks: list[tuple[datetime, datetime]]
    changes: dict[str, list[tuple[datetime, datetime]]]

    @cached_property
    def bounds(self) -> set[datetime]:
        spans = [
            *self.breaks,
            *(span[:2] for span in self.shifts),
            *(s for spans in self.changes.values() for s in spans),
        ]
        return {moment for span in spans for moment in span}

    def shift(self, moment: datetime) -> tuple[datetime, datetime, str] | None:
        return next((shift for shift in self.shifts if shift[0] <= moment < shift[1]), None)

    def unscheduled(self, moment: datetime) -> str | None:
        if within(moment, self.changes["open"]):
            return None
        if within(moment, self.changes["closed"]):
            return "closed"
        if within(moment, self.changes["holiday"]):
            return "holiday"
        return None if self.shift(moment) else "unscheduled"

    def is_planned_down(self, moment: datetime) -> str | None:
        if within(moment, self.changes["maintenance"]):
            return "planned_maintenance"
        return "break" if within(moment, self.breaks) else None

    def changes_between(self, start: datetime, end: datetime, scheduled: bool) -> bool:
        """Whether some moment in [start, end) is scheduled, or none is, as asked."""
        moments = [start, *(moment for moment in self.bounds if start < moment < end)]
        return start < end and any((self.unscheduled(moment) is None) == scheduled for moment in moments)


@dataclass
class Machine:
    """`states`: (start, state), one per start; `cycles`: (time, part, product, serial); `counts`: (start, end, product,
    good, scrap, rework); `jobs` by kind: spans, merged."""

    line: Line
    states: list[tuple[datetime, str]]
    cycles: list[tuple]
    counts: list[tuple]
    jobs: dict[str, list[tuple[datetime, datetime]]]
    days: list[Day]
    horizon: datetime
    date_of: callable
    pieces: list[dict] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cycles.sort()
        self.times = [cycle[0] for cycle in self.cycles]
        self.products = sorted(self._products())

    def _products(self):
        last = last_date = previous = None
        for time, _, product, _ in self.cycles:
            goes_on = previous is not None and time - previous <= RUNS_ON
            if product:
                if product != last or not goes_on or self.date_of(time) != last_date:
                    yield (previous if goes_on else time), time, product
                last, last_date = product, self.date_of(time)
            previous = time
        yield from ((start, start, product) for start, _, product, *quantities in self.counts if sum(quantities))

    def run(self) -> "Machine":
        if not (self.states or self.cycles or self.counts):
            first = self.days[0].production_date
        else:
            times = [s[0] for s in self.states] + self.times + [c[0] for c in self.counts]
            first = self.date_of(min(times))
        for day in self.days:
            if day.production_date < first or day.start > self.horizon:
                continue
            bounds = self.line.bounds | {self.horizon} | set(self.times)
            for start, _ in self.states:
                bounds |= {start, start + WEEK}
            for spans in (*self.jobs.values(), [count[:2] for count in self.counts]):
                bounds |= {moment for span in spans for moment in span}
            inside = sorted(moment for moment in bounds if day.start < moment < day.end)
            for start, end in pairwise([day.start, *inside, day.end]):
                self.pieces.append(self._piece(day, start, end))
        return self

    def _piece(self, day: Day, start: datetime, end: datetime) -> dict:
        bucket, evidence = self._bucket(day, start)
        shift = self.line.shift(start)
        product = "(none)"
        if GROUP_OF[bucket] in BUSY:
            product = self._product(day, start, incoming=bucket == "setup") or product
        return {
            "start": start,
            "end": end,
            "date": day.production_date,
            "shift_start": shift and shift[0],
            "bucket": bucket,
            "evidence": evidence,
            "product": product,
            "group": GROUP_OF[bucket],
        }

    def _product(self, day: Day, moment: datetime, incoming: bool) -> str | None:
        if incoming:
            times = [effective for effective, _, _ in self.products if moment < effective < day.known_to]
            time = min(times, default=None)
        else:
            times = [effective for effective, _, _ in self.products if day.known_from <= effective <= moment]
            time = max(times, default=None)
        return max((pair[1:] for pair in self.products if pair[0] == time), default=(None, None))[1]

    def _state(self, moment: datetime) -> str | None:
        place = bisect_right(self.states, moment, key=lambda state: state[0])
        if not place or moment >= self.horizon or moment >= self.states[place - 1][0] + WEEK:
            return None
        return WORDS.get(self.states[place - 1][1], "interruption")

    def _is_part_run(self, place: int) -> bool:
        """Whether the run of cycles around the gap before cycle `place` has a part on either side."""
        before, after = place - 1, place
        while not self.cycles[before][1] and before and self.times[before] - self.times[before - 1] <= RUNS_ON:
            before -= 1
        while (
            not self.cycles[after][1]
            and after + 1 < len(self.times)
            and self.times[after + 1] - self.times[after] <= RUNS_ON
        ):
            after += 1
        return self.cycles[before][1] and self.cycles[after][1]

    def _bucket(self, day: Day, moment: datetime) -> tuple[str, str]:  # noqa: PLR0911
        state = self._state(moment)
        place = bisect_right(self.times, moment)
        previous = self.times[place - 1] if place else None
        following = self.times[place] if place < len(self.times) else None
        in_cycle = bool(previous and following and following - previous <= RUNS_ON)
        in_part = in_cycle and self._is_part_run(place)
        counted = [c for c in self.counts if c[0] <= moment < min(c[1], self.horizon) and sum(c[3:])]
        unscheduled, planned = self.line.unscheduled(moment), self.line.is_planned_down(moment)
        in_job = within(moment, self.jobs["planned"])
        produces = state == "production" if state else in_part
        if (unscheduled or planned or in_job) and produces:
            return "unplanned_production", "state" if state else "cycle"
        if (
            unscheduled
            and not state
            and any(
                not self.line.changes_between(start, min(end, self.horizon), scheduled=True)
                for start, end, *_ in counted
            )
        ):
            return "unplanned_production", "count"
        if unscheduled:
            return unscheduled, "schedule"
        if in_job:
            return "planned_maintenance", "maintenance"
        if planned:
            return planned, "schedule"
        if state and (produces or GROUP_OF[state] == "planned_downtime"):
            return state, "state"
        if within(moment, self.jobs["corrective"]) and not produces and state != "malfunction":
            return "malfunction", "maintenance"
        if state:
            return state, "state"
        if in_part:
            return "production", "cycle"
        return self._without_production(day, moment, previous, following, in_cycle, counted)

    def _without_production(  # noqa: PLR0911, PLR0917
        self, day, moment, previous, following, in_cycle, counted
    ) -> tuple[str, str]:
        unit = self.line.shift(moment) or (day.start, day.end)
        if moment >= self.horizon:
            return "no_data", "none"
        if any(unit[0] <= time < unit[1] for time in self.times):
            parts = [cycle[0] for cycle in self.cycles if cycle[1]]
            before = [time for time in parts if day.known_from <= time <= moment]
            after = [time for time in parts if moment < time < day.known_to]
            if not before or self.line.changes_between(before[-1], moment, scheduled=False):
                return "late_start", "cycle"
            if not after or self.line.changes_between(moment, after[0], scheduled=False):
                return "early_end", "cycle"
            if in_cycle:
                return "production", "cycle"
            gap = (following - previous).total_seconds()
            counts_as = [counts_as for longer_than, counts_as in CLASSES if gap > longer_than][-1]
            return "performance_stop" if counts_as == "performance" else "interruption", "cycle"
        if counted:
            return "production", "count"
        spans = [(c[0], min(c[1], self.horizon)) for c in self.counts if sum(c[3:])]
        if any(span[0] < unit[1] and span[1] > unit[0] for span in spans):
            return "idle", "count"
        return "no_data", "none"

    def time(self) -> Counter:
        found: Counter = Counter()
        for piece in self.pieces:
            key = (piece["date"], piece["shift_start"], piece["bucket"], piece["evidence"], piece["product"])
            found[key] += (piece["end"] - piece["start"]) // timedelta(microseconds=1)
        return found

    def output(self) -> Counter:
        """Good, scrap and rework by date, shift and product."""
        found: Counter = Counter()
        starts = [piece["start"] for piece in self.pieces]
        seen: dict[str, date] = {}
        for time, part, product, serial in self.cycles:
            if not part:
                continue
            piece = self.pieces[bisect_right(starts, time) - 1]
            kind = "rework" if serial and seen.get(serial) == self.date_of(time) else "good"
            if serial:
                seen[serial] = self.date_of(time)
            found[piece["date"], piece["shift_start"], product or piece["product"], kind] += 1
        for count in self.counts:
            for key, quantity in self._split(count).items():
                found[key] += quantity
        return +found

    def _split(self, count: tuple) -> Counter:
        """Over shifts, their phases and local hours, such that whatever was made until then is rounded."""
        start, end, product, *quantities = count
        end = min(end, self.horizon)
        running, busy, overall = Counter(), Counter(), Counter()
        for piece in self.pieces:
            for low, high in pairwise(self._cells(max(piece["start"], start), min(piece["end"], end))):
                cell = (piece["date"], piece["shift_start"], *self._phase_and_hour(low))
                length = (high - low) // timedelta(microseconds=1)
                overall[cell] += length
                running[cell] += length * (piece["group"] == "APT")
                busy[cell] += length * (piece["group"] in BUSY)
        weights = next((w for w in (running, busy, overall) if w.total()), Counter())
        found: Counter = Counter()
        for kind, quantity in zip(("good", "scrap", "rework"), quantities, strict=True):
            until = before = 0
            for cell, weight in weights.items():  # in order of time
                until += weight
                made = floor(Fraction(quantity * until, weights.total()) + Fraction(1, 2))
                found[cell[0], cell[1], product, kind] += made - before
                before = made
        return found

    def _cells(self, low: datetime, high: datetime) -> list[datetime]:
        hours = {
            low.replace(minute=0) + timedelta(minutes=30 * n)
            for n in range(int((high - low).total_seconds()) // 1800 + 3)
        }
        phases = set()
        for start, end, _ in self.line.shifts:
            phases |= {start + timedelta(minutes=30), end - timedelta(minutes=30)}
        return [low, *sorted(moment for moment in hours | phases if low < moment < high), high] if low < high else []

    def _phase_and_hour(self, moment: datetime) -> tuple:
        shift = self.line.shift(moment)
        phase = None
        if shift:
            half = timedelta(minutes=30)
            phase = "start" if moment < shift[0] + half else "end" if moment >= shift[1] - half else "middle"
        return phase, self.hour_of(moment)

    hour_of: callable = None


def within(moment: datetime, spans: list[tuple[datetime, datetime]]) -> bool:
    return any(start <= moment < end for start, end in spans)
