"""A week of a line: its shifts, who is there, what closes it, and which order it works on at any second."""

from dataclasses import dataclass
from datetime import date, timedelta
from zlib import crc32

import numpy as np

from generator.production.reading import ProductionReference, Skill
from generator.production_days import ProductionDays

SECOND = 1_000_000
FAR = 3.0
"""Normal draws stay within this many standard deviations."""
EPOCH_DAY = date(1970, 1, 1)


@dataclass(frozen=True)
class Shift:
    """Seconds from the start of the week; one that began in the week before starts at a negative one."""

    start: int
    end: int
    name: str
    crew: str
    day: date
    skill: Skill
    mix: np.ndarray
    """Share of each product in what is begun."""
    planned_headcount: int
    headcount: int
    rate_noise: float
    """Factor on the rate, of this one occurrence."""
    quality_noise: float
    """Logit, of this one occurrence."""
    late_s: float

    @property
    def missing_share(self) -> float:
        return 1 - self.headcount / self.planned_headcount if self.planned_headcount else 0.0


@dataclass(frozen=True)
class Order:
    work_order_id: str
    product: int
    quality_noise: float
    """Logit, of the lot that it is."""
    priority: int


@dataclass(frozen=True)
class Segment:
    """A part of a shift in which the line works on one order."""

    start: int
    end: int
    shift: int
    order: int
    setup_min: float
    """Mean setup at its beginning."""


@dataclass(frozen=True)
class LineWeek:
    line_id: str
    begin: int
    """Microseconds UTC; seconds count from here."""
    seconds: int
    shifts: list[Shift]
    breaks: np.ndarray
    """Start and end in seconds, one row each."""
    closures: np.ndarray
    orders: list[Order]
    segments: list[Segment]

    def instant(self, seconds: np.ndarray | float) -> np.ndarray:
        """Microseconds UTC."""
        return self.begin + np.round(np.asarray(seconds) * SECOND).astype(np.int64)


class Calendar:
    """Shifts and breaks of the simulated lines around some production days."""

    def __init__(self, reference: ProductionReference, days: ProductionDays, first_day: int, last_day: int):
        # At the top this would be a circle: the loader reads the simulator.
        from ingest.shifts.days import Days
        from ingest.shifts.occurrences import BREAK, occurrences_of
        from ingest.shifts.patterns import read_lines

        span = days.start + timedelta(days=first_day - 2), days.start + timedelta(days=last_day + 2)
        rows = reference.calendar | {
            "machines": [{"line_id": line, "_row": n} for n, line in enumerate(reference.lines)]
        }
        lines, _ = read_lines(rows)
        clock = days.day_start.hour * 3600 + days.day_start.minute * 60
        found = occurrences_of(lines, Days(*span, days.timezone, clock), [])
        self._found = found
        self._line = np.array([kind.line_id or "" for kind in found.kinds])[found.which]
        self._is_break = np.array([kind.kind == BREAK for kind in found.kinds])[found.which]

    def of_line(self, line_id: str, begin: int, end: int) -> tuple[list[tuple], np.ndarray]:
        """Shifts (start, end, name, crew, date) and breaks (n, 2) that reach into [begin, end), microseconds."""
        found = self._found
        mine = (self._line == line_id) & (found.starts < end) & (found.ends > begin)
        shifts = [
            (
                int(found.starts[at]),
                int(found.ends[at]),
                found.kinds[found.which[at]].shift_name,
                found.kinds[found.which[at]].crew or "",
                EPOCH_DAY + timedelta(days=int(found.dates[at])),
            )
            for at in np.flatnonzero(mine & ~self._is_break)
        ]
        breaks = np.flatnonzero(mine & self._is_break)
        return shifts, np.stack([found.starts[breaks], found.ends[breaks]], axis=1)


def stream(seed: int, purpose: int, name: str, week: int) -> np.random.Generator:
    """A stream of its own for a line's or machine's week: others may come and go without changing it."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, crc32(name.encode()), week)))


def normal(rng: np.random.Generator, sd: float) -> float:
    return float(np.clip(rng.standard_normal(), -FAR, FAR) * sd)


def lognormal(rng: np.random.Generator, mean: float | np.ndarray, sd: float, size: int | None = None) -> np.ndarray:
    """Around `mean`; `sd` is a fraction of it."""
    sigma = np.sqrt(np.log1p(sd**2))
    return mean * np.exp(np.clip(rng.standard_normal(size), -FAR, FAR) * sigma - sigma**2 / 2)


def plan_week(
    reference: ProductionReference, calendar: Calendar, line_id: str, *, seed: int, week: int, begin: int, end: int
) -> LineWeek:
    """`begin` and `end` of the week in microseconds UTC."""
    rng = stream(seed, 4, line_id, week)
    occurrences, breaks = calendar.of_line(line_id, begin, end)
    shifts = [_shift(reference, rng, line_id, it, begin) for it in occurrences]
    orders, segments = _campaigns(reference, rng, f"WO-{line_id}-{week:04d}", shifts, (end - begin) // SECOND)
    return LineWeek(
        line_id=line_id,
        begin=begin,
        seconds=(end - begin) // SECOND,
        shifts=shifts,
        breaks=(breaks - begin) // SECOND,
        closures=_closures(reference, rng, shifts, (end - begin) // SECOND),
        orders=orders,
        segments=segments,
    )


def _shift(reference: ProductionReference, rng: np.random.Generator, line_id: str, it: tuple, begin: int) -> Shift:
    start, end, name, crew, day = it
    rates, skill = reference.rates, reference.skill(line_id, name, crew)
    planned = round(skill.planned_headcount)
    return Shift(
        start=(start - begin) // SECOND,
        end=(end - begin) // SECOND,
        name=name,
        crew=crew,
        day=day,
        skill=skill,
        mix=reference.mix(line_id, name),
        planned_headcount=planned,
        headcount=int(rng.binomial(planned, 1 - rates.absence_share)),
        rate_noise=float(np.exp(normal(rng, rates.day_rate_sd))),
        quality_noise=normal(rng, rates.day_quality_sd),
        late_s=float(rng.gamma(2, skill.late_start_min * 30)),
    )


def _campaigns(
    reference: ProductionReference,
    rng: np.random.Generator,
    name: str,
    shifts: list[Shift],
    seconds: int,
) -> tuple[list[Order], list[Segment]]:
    rates = reference.rates
    orders: list[Order] = []
    segments: list[Segment] = []
    for number, shift in enumerate(shifts):
        start, end = max(shift.start, 0), min(shift.end, seconds)
        mix = shift.mix
        count = 1 + rng.poisson(rates.campaigns_per_shift - 1)
        cuts = np.sort(rng.random(count - 1))
        products = rng.choice(len(mix), size=count, p=mix)
        carries_over = rng.random() < rates.order_carries_over_share
        noises, priorities = rng.standard_normal(count).clip(-FAR, FAR), rng.integers(1, 4, count)
        bounds = [start, *(start + (cuts * (end - start)).astype(int)), end]
        for part in range(count):
            if part or not orders or not carries_over:
                number_of_order = f"{name}-{len(orders) + 1:03d}"
                quality = float(noises[part]) * rates.lot_quality_sd
                orders.append(Order(number_of_order, int(products[part]), quality, int(priorities[part])))
            if bounds[part] < bounds[part + 1]:
                setup = _setup_min(reference, orders, segments)
                segments.append(Segment(bounds[part], bounds[part + 1], number, len(orders) - 1, setup))
    return orders, segments


def _setup_min(reference: ProductionReference, orders: list[Order], segments: list[Segment]) -> float:
    """Mean minutes to set up for the last of `orders` after the last of `segments`."""
    rates, product = reference.rates, orders[-1].product
    before = orders[segments[-1].order].product if segments else None
    if product == before:
        return 0.0
    same = before is not None and reference.families[product] == reference.families[before]
    return rates.setup_same_family_min if same else rates.setup_other_family_min


def _closures(
    reference: ProductionReference, rng: np.random.Generator, shifts: list[Shift], seconds: int
) -> np.ndarray:
    count = rng.poisson(reference.rates.line_closures_per_week) if shifts else 0
    at = rng.integers(0, max(len(shifts), 1), count)
    starts = np.array([max(shifts[k].start, 0) for k in np.unique(at)], np.int64)
    ends = np.array([min(shifts[k].end, seconds) for k in np.unique(at)], np.int64)
    return np.stack([starts, np.minimum(starts + int(reference.rates.line_closure_min * 60), ends)], axis=1)
