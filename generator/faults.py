"""What goes wrong in the simulated plant, and what only looks as if: faults.csv, drawn month by month.

A month is four weeks. Each has a random stream of its own, so that any range of days can be made by itself. Which
machine has which fault is drawn evenly: of n machines, a kind with share s of the rates gets n·s, rounded up or down.
"""

import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from generator.process import Disturbances
from generator.production_days import ProductionDays
from generator.reference import Reference
from generator.reference_files import GeneratorError, read_rows
from generator.sensors import DAY, SECOND, TIMESTAMP, Closure, Sensor, SensorFault

HOUR = 3600 * SECOND
MONTH_DAYS = 28
SPIKE_READINGS = 3
MOST_TRIES = 500
STATION_MODULES_PER_DAY = 100
"""Stations that see fewer are left alone: of 60 modules a day, 8 points of yield are two standard deviations."""
TOGETHER_LEAST_SHARE = 0.6
"""Of a sensor's variance, that comes from load: else nobody could say that it no longer follows it."""

SEASONALITY_LEAST = 2.0
"""A smaller rhythm, in standard deviations of what is left without it, can change without anybody noticing."""

SENSOR_KINDS = [
    "limit_violation",
    "missing_data",
    "stuck_value",
    "spike",
    "level_shift",
    "drift",
    "spread",
    "seasonality",
    "together",
]
STATION_KINDS = ["peer", "first_pass_yield"]
MACHINE_CHANGES = ["legitimate_changeover", "legitimate_maintenance", "legitimate_process_change"]
PLANT_CHANGES = ["legitimate_holiday", "legitimate_partial_shutdown", "legitimate_product_introduction"]
METRIC = {"peer": "duration", "first_pass_yield": "first_pass_yield"}
SIGNED = {"spike", "level_shift", "drift", "legitimate_process_change"}
IN_SIGMA = SIGNED | {"limit_violation"}

SCHEMAS = {
    "fault_truth": pa.schema(
        [
            ("entity", pa.string()),
            ("metric", pa.string()),
            ("kind", pa.string()),
            ("start_at", TIMESTAMP),
            ("end_at", TIMESTAMP),
            ("size", pa.float64()),
        ]
    ),
    "maintenance": pa.schema(
        [
            ("machine_id", pa.string()),
            ("start_at", TIMESTAMP),
            ("end_at", TIMESTAMP),
            ("kind", pa.string()),
            ("work", pa.string()),
        ]
    ),
    "schedule_change": pa.schema(
        [
            ("line_id", pa.string()),
            ("start_at", TIMESTAMP),
            ("end_at", TIMESTAMP),
            ("kind", pa.string()),
            ("note", pa.string()),
        ]
    ),
    "process_change": pa.schema(
        [("entity", pa.string()), ("metric", pa.string()), ("changed_at", TIMESTAMP), ("note", pa.string())]
    ),
    "machine_state": pa.schema([("machine_id", pa.string()), ("state_start_at", TIMESTAMP), ("state", pa.string())]),
}
FOREVER = 2**62


@dataclass(frozen=True)
class Kind:
    """A row of faults.csv."""

    kind: str
    per_month: float
    size: float
    duration_h: float


@dataclass
class Month:
    """All that is drawn for one month."""

    sensor_faults: list[SensorFault] = field(default_factory=list)
    closures: list[Closure] = field(default_factory=list)
    stations: list[tuple[str, int, int, int, float]] = field(default_factory=list)
    """Kind, machine, start, end, size."""
    records: dict[str, list[tuple]] = field(default_factory=lambda: {name: [] for name in SCHEMAS})


def read_kinds(folder: Path) -> dict[str, Kind]:
    """faults.csv; raises GeneratorError for a kind that is unknown or there twice."""
    known = [*SENSOR_KINDS, *STATION_KINDS, *MACHINE_CHANGES, *PLANT_CHANGES]
    kinds: dict[str, Kind] = {}
    for row in read_rows(folder, "faults", is_optional=True):
        name = row["kind"]
        if name not in known:
            raise GeneratorError(f"{folder / 'faults.csv'}: kind: {name!r}: unknown; known are {', '.join(known)}")
        if name in kinds:
            raise GeneratorError(f"{folder / 'faults.csv'}: kind: {name!r} is there twice")
        kinds[name] = Kind(**row)
    return kinds


class Faults:
    """The faults of one plant history. `stations`: also those that change test records, and what closes machines."""

    def __init__(
        self,
        reference: Reference,
        sensors: list[Sensor],
        kinds: dict[str, Kind],
        days: ProductionDays,
        *,
        seed: int,
        scale: float,
        stations: bool,
    ) -> None:
        self._reference, self._sensors, self._kinds, self._days, self._seed = reference, sensors, kinds, days, seed
        self._has_stations = stations
        self._busy = busy_machines(reference, scale) if stations else set()
        self._month = cache(self._drawn)
        # Lines of other machines have shifts, stops and orders of their own (generator.production).
        self._testers = sorted(reference.machine_of_test.members())

    def sensor_faults(self, begin: int, end: int) -> list[SensorFault]:
        """Those of [begin, end), microseconds UTC, and all process changes before it, whose effect stays."""
        return [
            fault
            for number in range(self._month_of(end - 1) + 1)
            for fault in self._month(number).sensor_faults
            if fault.start < end and fault.end > begin
        ]

    def closures(self, begin: int, end: int) -> list[Closure]:
        months = range(max(0, self._month_of(begin)), self._month_of(end - 1) + 1)
        return [each for k in months for each in self._month(k).closures if each.start < end and each.end > begin]

    def disturbances(self, begin: int, end: int) -> Disturbances:
        """What happens to test attempts in [begin, end)."""
        found = Disturbances()
        for number in range(max(0, self._month_of(begin)), self._month_of(end - 1) + 1):
            month = self._month(number)
            found.closed += [(each.machine, each.start, each.end) for each in month.closures if self._has_stations]
            for kind, machine, start, finish, size in month.stations:
                target = found.longer if kind == "peer" else found.fails
                target.append((machine, start, finish, size))
        return found

    def records(self, begin: int, end: int) -> dict[str, pa.Table]:
        """Tables of SCHEMAS: what is known of all that begins in [begin, end), microseconds UTC."""
        tables = {}
        for name, schema in SCHEMAS.items():
            instant = next(k for k, column in enumerate(schema) if column.type == TIMESTAMP)
            rows = [
                row
                for k in range(max(0, self._month_of(begin)), self._month_of(end - 1) + 1)
                for row in self._month(k).records[name]
                if begin <= row[instant] < end
            ]
            rows.sort(key=lambda row: (row[instant], *map(str, row)))
            columns = list(zip(*rows, strict=True)) or [()] * len(schema)
            arrays = [
                pa.array(column, pa.int64()).cast(TIMESTAMP) if kind.type == TIMESTAMP else pa.array(column, kind.type)
                for column, kind in zip(columns, schema, strict=True)
            ]
            tables[name] = pa.Table.from_arrays(arrays, schema=schema)
        return tables

    def introduced(self) -> tuple[int, int] | None:
        """Product that is made only from a week on, and the week from 0; None where none is introduced.

        It is one of the third with the fewest starts, so that the plant's volume stays; the week is in the third month.
        """
        kind = self._kinds.get("legitimate_product_introduction")
        if not self._has_stations or kind is None or not kind.per_month:
            return None
        rng = self._rng(9)
        order = np.argsort(self._reference.weekly_start_qty, kind="stable")
        order = order[self._reference.weekly_start_qty[order] > 0]
        if len(order) < 2:
            return None
        return int(rng.choice(order[: max(1, len(order) // 3)])), int(8 + rng.integers(4))

    def _rng(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(3, *key)))

    def _month_of(self, instant: int) -> int:
        return (instant - self._days.begin(0)) // (MONTH_DAYS * DAY)

    def _drawn(self, number: int) -> Month:
        month = Month()
        self._draw_plant_changes(month, number, self._rng(0, number))
        self._draw_machine_changes(month, number, self._rng(1, number))
        if number * MONTH_DAYS >= self._reference.rates.fault_free_days:
            self._draw_faults(month, number, self._rng(2, number))
        return month

    def _draw_plant_changes(self, month: Month, number: int, rng: np.random.Generator) -> None:
        if not self._has_stations:
            return
        lines = sorted({self._reference.lines[machine] for machine in self._testers} - {""})
        for name, change in (("legitimate_holiday", "holiday"), ("legitimate_partial_shutdown", "closed")):
            for _ in range(self._count(rng, name)):
                first = number * MONTH_DAYS + int(rng.integers(2, MONTH_DAYS - 4))
                length = max(1, round(self._kinds[name].duration_h / 24))
                start, end = self._days.begin(first), self._days.begin(first + length)
                chosen = lines if change == "holiday" else [str(rng.choice(lines))] if lines else []
                for line in chosen:
                    month.records["schedule_change"].append(
                        (line, start, end, change, name.removeprefix("legitimate_"))
                    )
                    for machine in self._testers:
                        if self._reference.lines[machine] == line:
                            self._close(month, machine, start, end, name)
        introduced = self.introduced()
        if introduced and introduced[1] * 7 // MONTH_DAYS == number:
            start = self._days.begin(7 * introduced[1])
            product = self._reference.products[introduced[0]]
            end = start + round(self._kinds["legitimate_product_introduction"].duration_h * HOUR)
            month.records["fault_truth"].append((product, "any", "legitimate_product_introduction", start, end, 0.0))

    def _draw_machine_changes(self, month: Month, number: int, rng: np.random.Generator) -> None:
        machines = self._testers
        for name in ("legitimate_maintenance", "legitimate_changeover"):
            for machine in machines if self._has_stations else []:
                for _ in range(self._count(rng, name)):
                    start, end = self._somewhere(rng, number, self._kinds[name].duration_h, 1)
                    if any(each.machine == machine and _near(each, start, end, HOUR) for each in month.closures):
                        continue
                    self._close(month, machine, start, end, name)
                    machine_id = self._reference.machines[machine]
                    if name == "legitimate_maintenance":
                        month.records["maintenance"].append((machine_id, start, end, "planned", "monthly service"))
                    else:
                        month.records["machine_state"] += [
                            (machine_id, start, "changeover"),
                            (machine_id, end, "running"),
                        ]
        name = "legitimate_process_change"
        for machine in machines:
            own = self._of_machine(machine)
            for _ in range(self._count(rng, name)):
                if not own:
                    continue
                sensor = int(rng.choice(own))
                start, _ = self._somewhere(rng, number, 1, 1)
                size = float(rng.choice([-1, 1])) * self._kinds[name].size
                month.sensor_faults.append(SensorFault(name, sensor, start, FOREVER, size))
                it = self._sensors[sensor]
                month.records["process_change"].append((it.sensor_id, it.quantity, start, "new set point"))
                month.records["fault_truth"].append(
                    (it.sensor_id, it.quantity, name, start, start + DAY, size * it.sigma)
                )

    def _draw_faults(self, month: Month, number: int, rng: np.random.Generator) -> None:
        names = [name for name in (*SENSOR_KINDS, *STATION_KINDS) if name in self._kinds]
        ends = np.cumsum([self._kinds[name].per_month for name in names])
        total = float(ends[-1]) if len(ends) else 0.0
        rounds = math.ceil(total - 1e-9)  # rates such as 1/11 do not sum to 1 exactly
        able = {
            machine: [name for name in names if self._kinds[name].per_month and self._is_able(machine, name)]
            for machine in self._watched_machines()
        }
        machines = [machine for machine, kinds in able.items() if kinds]
        count = len(machines)
        first = rng.random()
        for rank, place in enumerate(rng.permutation(count * rounds)):
            wanted = (place + first) / (count * rounds) * total
            is_kept = rng.random() < total / rounds + 1e-9
            machine = machines[rank % count]
            if not is_kept:
                continue
            name = names[min(int(np.searchsorted(ends, wanted, side="right")), len(names) - 1)]
            if name not in able[machine]:
                shares = np.array([self._kinds[each].per_month for each in able[machine]])
                name = str(rng.choice(able[machine], p=shares / shares.sum()))
            self._draw_fault(month, number, rng, machine, name)

    def _draw_fault(self, month: Month, number: int, rng: np.random.Generator, machine: int, name: str) -> None:
        kind = self._kinds[name]
        able = [k for k in self._of_machine(machine) if self._is_sensor_able(k, name)]
        sensor = int(rng.choice(able)) if name in SENSOR_KINDS else -1
        size = kind.size * (float(rng.choice([-1, 1])) if name in SIGNED else 1.0)
        draw = float(rng.standard_normal())
        for _ in range(MOST_TRIES):
            if name in STATION_KINDS:
                length = max(1, round(kind.duration_h / 24))
                first = number * MONTH_DAYS + int(rng.integers(1, MONTH_DAYS - length - 1))
                start, end = self._days.begin(first), self._days.begin(first + length)
            else:
                start, end = self._somewhere(rng, number, kind.duration_h, 2)
                if name == "spike":
                    end = start + SPIKE_READINGS * self._sensors[sensor].period_us
            if not self._collides(month, machine, start, end):
                break
        else:
            return
        machine_id = self._reference.machines[machine]
        if name in STATION_KINDS:
            month.stations.append((name, machine, start, end, size))
            month.records["fault_truth"].append((machine_id, METRIC[name], name, start, end, size))
            return
        it = self._sensors[sensor]
        month.sensor_faults.append(SensorFault(name, sensor, start, end, size, draw))
        unit = it.sigma if name in IN_SIGMA else 1.0
        month.records["fault_truth"].append((it.sensor_id, it.quantity, name, start, end, size * unit))

    def _collides(self, month: Month, machine: int, start: int, end: int) -> bool:
        """Whether the machine stands still too long then, or has something else that hides or explains the fault."""
        is_short = end - start <= DAY // 2
        for closure in month.closures:
            is_long = closure.end - closure.start > DAY // 2
            if closure.machine == machine and (is_short or is_long) and _near(closure, start, end, 2 * HOUR):
                return True
        own = set(self._of_machine(machine))
        for fault in month.sensor_faults:
            if fault.sensor in own:
                until = min(fault.end, fault.start + 4 * DAY) if fault.end == FOREVER else fault.end
                if start < until + DAY and end > fault.start - DAY:
                    return True
        return any(its == machine and start < until + 2 * DAY and end > since - 2 * DAY
                   for _, its, since, until, _ in month.stations)  # fmt: skip

    def _watched_machines(self) -> list[int]:
        """Those that have sensors, where any have; else all."""
        watched = sorted({sensor.machine for sensor in self._sensors} - {-1})
        return watched or self._testers

    def _of_machine(self, machine: int) -> list[int]:
        return [k for k, sensor in enumerate(self._sensors) if sensor.machine == machine]

    def _is_able(self, machine: int, name: str) -> bool:
        """Whether a machine can have such a fault."""
        if name in STATION_KINDS:
            return machine in self._busy
        own = self._of_machine(machine)
        if name == "together" and sum(self._sensors[k].load_sd > 0 for k in own) < 2:
            return False
        return any(self._is_sensor_able(k, name) for k in own)

    def _is_sensor_able(self, number: int, name: str) -> bool:
        sensor = self._sensors[number]
        if name == "limit_violation":
            return not math.isnan(sensor.upper_limit)
        if name == "seasonality":
            return sensor.daily_amplitude >= SEASONALITY_LEAST * sensor.sigma > 0
        if name == "together":
            return sensor.load_sd**2 >= TOGETHER_LEAST_SHARE * sensor.sigma**2 > 0
        return sensor.sigma > 0

    def _somewhere(self, rng: np.random.Generator, number: int, duration_h: float, margin_days: int) -> tuple[int, int]:
        """A span in the month, `margin_days` from its ends, at a whole second."""
        first, last = self._days.begin(MONTH_DAYS * number), self._days.begin(MONTH_DAYS * (number + 1))
        length = round(duration_h * 3600) * SECOND
        start = int(rng.integers(first + margin_days * DAY, last - margin_days * DAY - length))
        start -= start % SECOND
        return start, start + length

    def _close(self, month: Month, machine: int, start: int, end: int, name: str) -> None:
        month.closures.append(Closure(machine, start, end))
        month.records["fault_truth"].append((self._reference.machines[machine], "any", name, start, end, 0.0))

    def _count(self, rng: np.random.Generator, name: str) -> int:
        """How many of a kind in a month: its rate, rounded up or down at random."""
        rate = self._kinds[name].per_month if name in self._kinds else 0.0
        return int(math.floor(rate + rng.random()))


def _near(closure: Closure, start: int, end: int, margin: int) -> bool:
    return closure.start - margin < end and closure.end + margin > start


def busy_machines(reference: Reference, scale: float) -> set[int]:
    """Machines with a test that STATION_MODULES_PER_DAY modules and more reach there a day, as is to be expected."""
    return {machine for (machine, _), count in expected_modules(reference, scale).items()
            if count >= STATION_MODULES_PER_DAY}  # fmt: skip


def expected_modules(reference: Reference, scale: float) -> dict[tuple[int, int], float]:
    """Modules a day by machine and test, if every module reached every test of its route but for its fails."""
    steps = reference.steps
    found: dict[tuple[int, int], float] = {}
    reaching = 0.0
    for at in range(len(steps.product)):
        if reference.first_step[steps.product[at]] == at:
            reaching = reference.weekly_start_qty[steps.product[at]] * scale / 7
        test = int(steps.test[at])
        for machine, share in reference.machine_of_test.shares(test).items():
            key = (machine, test)
            found[key] = found.get(key, 0.0) + reaching * share
        fails = 1 - steps.pass_probability[at]
        reaching *= 1 - fails ** min(int(steps.max_attempts[at]), 10)
    return found
