"""The CSVs that say how lines, machines and crews behave, checked against each other."""

from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path

import numpy as np

from generator.reference_files import (
    ANY_TEXT,
    DURATION,
    PROBABILITY,
    SHARE,
    TEXT,
    Day,
    GeneratorError,
    Kind,
    Number,
    Word,
    read_rows,
)

MINUTES = Number(high=1e5)
LOGIT = Number(low=-20, high=20, default=0)
FACTOR = Number(low=0.01, high=100, default=1)
HEADS = Number(high=10_000, default=0)
YES, NO = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
FLAG = Word(words=(*YES, *NO), default="false")

FILES: dict[str, dict[str, Kind]] = {
    "simulated_machines": {
        "machine_id": TEXT,
        "reports": Word(words=("states", "cycles", "both")),
        "mtbf_h": DURATION,
        "repair_min": MINUTES,
        "minor_stops_per_h": Number(high=1000),
        "minor_stop_s": DURATION,
        "quality_logit": LOGIT,
        "maintenance_weeks": Number(low=1, high=1000, whole=True),
        "maintenance_min": MINUTES,
    },
    "simulated_shifts": {
        "line_id": ANY_TEXT,
        "shift_name": ANY_TEXT,
        "crew": ANY_TEXT,
        "quality_logit": LOGIT,
        "rate_factor": FACTOR,
        "minor_stop_factor": FACTOR,
        "setup_factor": FACTOR,
        "late_start_min": MINUTES,
        "planned_headcount": HEADS,
    },
    "simulated_mix": {"line_id": TEXT, "shift_name": ANY_TEXT, "product_name": TEXT, "share": SHARE},
    "machines": {
        "machine_id": TEXT,
        "line_id": ANY_TEXT,
        "is_constraint": FLAG,
        "line_position": Number(low=1, high=1e6, whole=True, default=1),
    },
    "products": {"product_name": TEXT, "family": ANY_TEXT, "assembly_good_share": PROBABILITY},
    "standard_rates": {
        "product_name": ANY_TEXT,
        "machine_id": ANY_TEXT,
        "valid_from": Day(),
        "valid_to": Day(),
        "rate_per_h": Number(high=1e6, above_low=True),
    },
    "downtime_reasons": {"reason_code": TEXT, "bucket": ANY_TEXT, "share": Number(high=1e6, default=0)},
}
SHIFTS: dict[str, dict[str, Kind]] = {
    "shift_patterns": {
        "pattern": TEXT,
        "cycle_days": Number(low=1, high=366, whole=True),
        "cycle_day": Number(low=1, high=366, whole=True),
        "shift_name": TEXT,
        "start_time": TEXT,
        "end_time": TEXT,
        "crew": ANY_TEXT,
    },
    "line_shifts": {"line_id": ANY_TEXT, "pattern": TEXT, "valid_from": Day(), "valid_to": Day(), "cycle_start": Day()},
    "breaks": {
        "pattern": ANY_TEXT,
        "line_id": ANY_TEXT,
        "shift_name": ANY_TEXT,
        "start_time": TEXT,
        "end_time": TEXT,
        "name": ANY_TEXT,
    },
    "holidays": {"holiday_date": Day(), "line_id": ANY_TEXT},
}
"""A plant may lack these: its lines then work round the clock."""


def _within(number: Number):
    return field(metadata={"range": number})


@dataclass(frozen=True)
class ProductionRates:
    """Parameters of simulation.csv, needed where machines are simulated; their meaning: docs/simulated_plant.md."""

    campaigns_per_shift: float = _within(Number(low=1, high=20))
    order_carries_over_share: float = _within(PROBABILITY)
    plan_tightness: float = _within(Number(low=0.1, high=2))
    setup_same_family_min: float = _within(MINUTES)
    setup_other_family_min: float = _within(MINUTES)
    duration_spread: float = _within(PROBABILITY)
    day_rate_sd: float = _within(PROBABILITY)
    day_quality_sd: float = _within(Number(high=5))
    lot_quality_sd: float = _within(Number(high=5))
    machine_speed_sd: float = _within(PROBABILITY)
    rework_share: float = _within(PROBABILITY)
    empty_cycle_share: float = _within(PROBABILITY)
    buffer_min: float = _within(MINUTES)
    corrective_job_min: float = _within(MINUTES)
    absence_share: float = _within(PROBABILITY)
    short_staffed_logit: float = _within(Number(low=-5, high=5))
    short_staffed_rate: float = _within(Number(low=-5, high=5))
    line_closures_per_week: float = _within(Number(high=20))
    line_closure_min: float = _within(MINUTES)
    overrun_share: float = _within(PROBABILITY)
    overrun_min: float = _within(MINUTES)
    state_repeat_share: float = _within(Number(high=0.5))
    count_interval_min: int = _within(Number(low=1, high=1440, whole=True))


PRODUCTION_PARAMETERS = frozenset(it.name for it in fields(ProductionRates))


@dataclass(frozen=True)
class Machine:
    machine_id: str
    line_id: str
    is_constraint: bool
    position: float
    says_states: bool
    says_cycles: bool
    mtbf_h: float
    repair_min: float
    minor_stops_per_h: float
    minor_stop_s: float
    quality_logit: float
    maintenance_weeks: int
    maintenance_min: float


@dataclass(frozen=True)
class Skill:
    """What a crew does to what it works on; see docs/simulated_plant.md."""

    quality_logit: float = 0.0
    rate_factor: float = 1.0
    minor_stop_factor: float = 1.0
    setup_factor: float = 1.0
    late_start_min: float = 0.0
    planned_headcount: float = 0.0


@dataclass(frozen=True)
class ProductionReference:
    """`lines`: the machines of each line that is simulated, by their place in it."""

    lines: dict[str, list[Machine]]
    products: list[str]
    families: list[str]
    good_share: np.ndarray
    rates: ProductionRates
    calendar: dict[str, list[dict]]
    """Rows of the CSVs of shifts, as `ingest.shifts.patterns` takes them."""
    _mix: list[dict]
    _skills: list[dict]
    _standard_rates: list[dict]
    _reasons: list[dict]
    _known_rates: dict[tuple[int, str, date], float] = field(default_factory=dict, repr=False)

    def mix(self, line_id: str, shift_name: str) -> np.ndarray:
        """Share of each product in what a line makes in a shift: the shift's own lines, else those of any."""
        of_line = [row for row in self._mix if row["line_id"] == line_id]
        rows = [row for row in of_line if row["shift_name"] == shift_name]
        rows = rows or [row for row in of_line if not row["shift_name"]]
        shares = np.zeros(len(self.products))
        for row in rows:
            shares[self.products.index(row["product_name"])] += row["share"]
        if not shares.sum() > 0:
            raise GeneratorError(f"simulated_mix.csv: line {line_id!r} has no product for shift {shift_name!r}")
        return shares / shares.sum()

    def shifts(self, line_id: str) -> list[tuple[str, str]]:
        """Shift and crew of all lines of the patterns that a line may work; the crew may be empty."""
        rows = self.calendar["line_shifts"]
        patterns = {row["pattern"] for row in rows if row["line_id"] in (None, line_id)}
        rows = [row for row in self.calendar["shift_patterns"] if row["pattern"] in patterns]
        return sorted({(row["shift_name"], row["crew"] or "") for row in rows})

    def skill(self, line_id: str, shift_name: str, crew: str) -> Skill:
        """That of the most specific line of simulated_shifts.csv; the first of several."""
        keys = {"line_id": line_id, "shift_name": shift_name, "crew": crew}
        fits = [row for row in self._skills if all(row[key] in ("", value) for key, value in keys.items())]
        row = max(fits, key=lambda row: sum(bool(row[key]) for key in keys), default=None)
        return Skill(**{it.name: row[it.name] for it in fields(Skill)}) if row else Skill()

    def standard_rate(self, product: int, machine_id: str, day: date) -> float:
        """Units per hour, by the rule of standard_rates.csv."""
        key = product, machine_id, day
        if key not in self._known_rates:
            self._known_rates[key] = self._standard_rate(*key)
        return self._known_rates[key]

    def _standard_rate(self, product: int, machine_id: str, day: date) -> float:
        name = self.products[product]
        fits = [
            (bool(row["product_name"]) + bool(row["machine_id"]), row["valid_from"] or date.min, -number, row)
            for number, row in enumerate(self._standard_rates)
            if row["product_name"] in ("", name)
            and row["machine_id"] in ("", machine_id)
            and (row["valid_from"] or date.min) <= day <= (row["valid_to"] or date.max)
        ]
        if not fits:
            raise GeneratorError(f"standard_rates.csv: no rate of {name!r} at {machine_id!r} on {day}")
        return max(fits, key=lambda fit: fit[:3])[3]["rate_per_h"]

    def reasons(self, bucket: str) -> tuple[list[str], np.ndarray]:
        """The reasons of a bucket that have a share, and these shares of their sum."""
        rows = [row for row in self._reasons if row["bucket"] == bucket and row["share"] > 0]
        shares = np.array([row["share"] for row in rows])
        return [row["reason_code"] for row in rows], shares / shares.sum()


def read_production(folder: Path) -> ProductionReference | None:
    """None where simulated_machines.csv has no rows. Raises GeneratorError."""
    rows = {"simulated_machines": _read(folder, "simulated_machines", is_optional=True)}
    if not rows["simulated_machines"]:
        return None
    rows |= {name: _read(folder, name, is_optional=name in ("simulated_shifts", "downtime_reasons")) for name in FILES}
    products = [row["product_name"] for row in rows["products"]]
    for row in rows["simulated_mix"]:
        if row["product_name"] not in products:
            file = folder / "simulated_mix.csv"
            raise GeneratorError(f"{file}: product_name: {row['product_name']!r}: not in products.csv")
    return ProductionReference(
        lines=_lines(folder, rows["simulated_machines"], rows["machines"]),
        products=products,
        families=[row["family"] for row in rows["products"]],
        good_share=np.array([row["assembly_good_share"] for row in rows["products"]]),
        rates=_rates(folder),
        calendar=_calendar(folder),
        _mix=rows["simulated_mix"],
        _skills=rows["simulated_shifts"],
        _standard_rates=rows["standard_rates"],
        _reasons=rows["downtime_reasons"],
    )


def _read(folder: Path, name: str, *, is_optional: bool) -> list[dict]:
    return read_rows(folder, name, FILES[name], is_optional=is_optional)


def _lines(folder: Path, simulated: list[dict], machines: list[dict]) -> dict[str, list[Machine]]:
    known = {row["machine_id"]: row for row in machines}
    lines: dict[str, list[Machine]] = {}
    for row in simulated:
        place = known.get(row["machine_id"])
        if not place or not place["line_id"]:
            file = folder / "simulated_machines.csv"
            raise GeneratorError(f"{file}: machine_id: {row['machine_id']!r}: has no line in machines.csv")
        machine = Machine(
            line_id=place["line_id"],
            is_constraint=place["is_constraint"] in YES,
            position=place["line_position"],
            says_states=row["reports"] != "cycles",
            says_cycles=row["reports"] != "states",
            **{name: value for name, value in row.items() if name != "reports"},
        )
        lines.setdefault(machine.line_id, []).append(machine)
    return {line_id: sorted(found, key=lambda it: it.position) for line_id, found in sorted(lines.items())}


def _rates(folder: Path) -> ProductionRates:
    file = folder / "simulation.csv"
    columns = {"parameter": TEXT, "value": Number(low=-1e9)}
    given = {row["parameter"]: row["value"] for row in read_rows(folder, "simulation", columns)}
    values = {}
    for it in fields(ProductionRates):
        if it.name not in given:
            raise GeneratorError(f"{file}: parameter {it.name} is missing; machines can't be simulated without")
        try:
            values[it.name] = it.metadata["range"].parse(str(given[it.name]))
        except ValueError as error:
            raise GeneratorError(f"{file}: {it.name}: {given[it.name]:g}: {error}") from None
    return ProductionRates(**values)


def _calendar(folder: Path) -> dict[str, list[dict]]:
    """Empty texts are None there, as in the lake."""
    found = {"machines": [], "lines": []}
    for name, columns in SHIFTS.items():
        rows = read_rows(folder, name, columns, is_optional=True)
        found[name] = [
            {key: None if value == "" else value for key, value in row.items()} | {"_row": number}
            for number, row in enumerate(rows, start=1)
        ]
    return found
