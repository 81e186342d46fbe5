"""The records of machines, orders and people, for any range of production days.

Every line and machine has a random stream for each week, so that a range of days needs its own weeks alone and a
history made in pieces equals the one made whole.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from generator.production.machine_records import Made, add_counts, add_cycles, add_jobs, add_states
from generator.production.orders import add_plan
from generator.production.plan import Calendar, lognormal, plan_week, stream
from generator.production.reading import ProductionReference, read_production
from generator.production.tables import SCHEMAS, Rows
from generator.production.timeline import Codes, output_of, timelines
from generator.production_days import ProductionDays


def schemas(folder: Path) -> dict[str, pa.Schema]:
    """The tables that the simulation of a plant has of production: all or none. Raises GeneratorError."""
    return SCHEMAS if read_production(folder) else {}


class Production:
    """One history."""

    def __init__(self, reference: ProductionReference, days: ProductionDays, seed: int):
        self.reference, self.days, self.seed = reference, days, seed
        self.codes = Codes(reference)

    def weeks(self, begin_day: int, end_day: int) -> Iterator[dict[str, pa.Table]]:
        """The tables of the production days [begin_day, end_day), a week or less at a time; at least one piece.

        A record belongs to the day in which it starts; plans and operations to that of their order's start.
        """
        begin, end = self.days.begin(begin_day), self.days.begin(end_day)
        calendar = Calendar(self.reference, self.days, begin_day - 7, end_day + 7)
        if begin == end:
            yield {name: schema.empty_table() for name, schema in SCHEMAS.items()}
        for week in range(begin_day // 7, -(-end_day // 7)):
            rows = Rows(begin, end)
            for line_id in self.reference.lines:
                self._add_week(rows, calendar, line_id, week)
            yield rows.tables()

    def _add_week(self, rows: Rows, calendar: Calendar, line_id: str, week: int) -> None:
        machines = self.reference.lines[line_id]
        bounds = self.days.begin(7 * week), self.days.begin(7 * (week + 1))
        plan = plan_week(self.reference, calendar, line_id, seed=self.seed, week=week, begin=bounds[0], end=bounds[1])
        pace = next((machine for machine in machines if machine.is_constraint), machines[-1])
        add_plan(rows, self.reference, plan, machines, pace)
        made = timelines(self.reference, self.codes, plan, machines, seed=self.seed, week=week)
        for machine, (timeline, rng) in zip(machines, made, strict=True):
            constant = stream(self.seed, 6, machine.machine_id, 0)
            speed = float(lognormal(constant, 1.0, self.reference.rates.machine_speed_sd))
            output = output_of(self.reference, plan, machine, timeline, pace=pace, speed=speed)
            whole = Made(self.reference, self.codes, plan, machine, timeline, output, rng)
            if machine.says_states:
                add_states(rows, whole)
            (add_cycles if machine.says_cycles else add_counts)(rows, whole)
            add_jobs(rows, whole)
