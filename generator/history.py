"""The history of a simulated plant, cut into any ranges of production days.

Each start week has a random stream of its own that decides all its modules will ever do, and no module lives longer
than `life_limit_days`. So a range of days needs only the start weeks that can still be running in it, and a history
made in pieces equals the one made whole. Readings of sensors and faults have streams of their own, by day and month.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, time
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from generator import faults, production, records, sensors
from generator.faults import Faults, read_kinds
from generator.process import ATTEMPT, DAY, REWORK, Disturbances, run_golden_units, run_modules
from generator.production import Production, read_production, truth
from generator.production_days import ProductionDays
from generator.records import Records
from generator.reference import GeneratorError, Reference, read_reference
from generator.sensors import Readings, read_sensors, scaled
from generator.starts import LONGEST_DAYS, Starts, plan_starts

MODULES_AT_ONCE = 50_000
FaultMode = Literal["none", "sensors", "all"]
"""Which faults of faults.csv happen: none; those of sensors, which leave all other records as they are; or all."""


def schemas(reference_folder: Path, fault_mode: FaultMode = "none") -> dict[str, pa.Schema]:
    """The tables that a plant's simulation has: always test_record and rework. Raises GeneratorError."""
    tables = dict(records.SCHEMAS)
    if read_sensors(reference_folder, []):
        tables["sensor_reading"] = sensors.SCHEMA
    if fault_mode != "none" and read_kinds(reference_folder):
        tables |= faults.SCHEMAS
    return tables | production.schemas(reference_folder)


def true_effects(reference_folder: Path) -> dict:
    """What is really so of crews, machines and products (production.truth); empty where no machines are simulated."""
    found = read_production(reference_folder)
    return truth(found) if found else {}


def simulate(reference_folder: Path, **history) -> dict[str, pa.Table]:
    """Tables of the production days [begin_day, end_day), whole; parameters as simulate_weeks."""
    found: dict[str, list[pa.Table]] = {}
    for piece in simulate_weeks(reference_folder, **history):
        for name, table in piece.items():
            found.setdefault(name, []).append(table)
    return {name: pa.concat_tables(tables).combine_chunks() for name, tables in found.items()}


def simulate_weeks(
    reference_folder: Path,
    *,
    seed: int,
    scale: float,
    start: date,
    timezone: str,
    day_start: time,
    begin_day: int,
    end_day: int,
    serial_reuse_days: int | None = 365,
    fault_mode: FaultMode = "none",
    tables: Collection[str] | None = None,
) -> Iterator[dict[str, pa.Table]]:
    """Tables (schemas()) of the production days [begin_day, end_day) in pieces of bounded memory.

    A record belongs to the day in which it starts. Days count from 0 = `start`, each from `day_start` in `timezone`.
    `scale` multiplies the weekly starts and golden runs; below 1 only that share of the machines with sensors has them.
    No serial comes back within `serial_reuse_days` (None: never). First come test_record and rework, at least a piece,
    in order of time: a week (7 days from `start`) or less, from at most MODULES_AT_ONCE modules; then sensor_reading, a
    day each; then what faults.csv brings; then what machines and orders are about, a week or less each. `tables`: only
    these. Raises GeneratorError.
    """
    if not 0 <= begin_day <= end_day <= LONGEST_DAYS:
        raise GeneratorError(f"days {begin_day} to {end_day}: expected 0 <= begin <= end <= {LONGEST_DAYS}")
    if seed < 0:
        raise GeneratorError(f"seed: {seed}: expected a whole number from 0")
    if not 0 < scale <= 1000:
        raise GeneratorError(f"scale: {scale}: expected a number above 0 to 1000")
    reference = read_reference(reference_folder)
    chosen = {name for name in schemas(reference_folder, fault_mode) if tables is None or name in tables}
    simulated = scaled(read_sensors(reference_folder, reference.machines), scale)
    days = ProductionDays(start, timezone, day_start)
    kinds = read_kinds(reference_folder) if fault_mode != "none" else {}
    happening = Faults(
        reference, simulated, kinds, days, seed=seed, scale=scale, stations=fault_mode == "all" and bool(kinds)
    )
    starts = plan_starts(
        reference, seed, scale, -(-end_day // 7), serial_reuse_days=serial_reuse_days, introduced=happening.introduced()
    )
    history = _History(reference, days, starts, seed, happening)
    pieces = _pieces(history, Readings(simulated, timezone, seed), begin_day, end_day, chosen)
    widest = production.schemas(reference_folder)
    if not (made := chosen & set(widest)):
        return pieces
    weeks = Production(read_production(reference_folder), days, seed).weeks(begin_day, end_day)
    return chain(
        ({name: _widened(table, widest.get(name)) for name, table in piece.items()} for piece in pieces),
        ({name: table for name, table in week.items() if name in made} for week in weeks),
    )


def _widened(table: pa.Table, schema: pa.Schema | None) -> pa.Table:
    """With the columns that `schema` has besides, empty: faults and lines bring records of one table."""
    for column in schema or ():
        if column.name not in table.schema.names:
            table = table.append_column(column, pa.nulls(len(table), column.type))
    return table.select(schema.names) if schema else table


@dataclass(frozen=True)
class _History:
    reference: Reference
    days: ProductionDays
    starts: Starts
    seed: int
    faults: Faults


def _pieces(
    history: _History, readings: Readings, begin_day: int, end_day: int, tables: set[str]
) -> Iterator[dict[str, pa.Table]]:
    begin, end = history.days.begin(begin_day), history.days.begin(end_day)
    if tables & set(records.SCHEMAS):
        for piece in _module_pieces(history, begin_day, end_day):
            yield {name: table for name, table in piece.items() if name in tables}
    if "sensor_reading" in tables:
        yield {"sensor_reading": sensors.SCHEMA.empty_table()}
        if begin < end:
            faulty, closures = history.faults.sensor_faults(begin, end), history.faults.closures(begin, end)
            for table in readings.days(history.days.begins(begin_day, end_day), faulty, closures):
                yield {"sensor_reading": table}
    if wanted := tables & set(faults.SCHEMAS):
        happened = history.faults.records(begin, end) if begin < end else {}
        yield {name: happened.get(name, faults.SCHEMAS[name].empty_table()) for name in sorted(wanted)}


def _module_pieces(history: _History, begin_day: int, end_day: int) -> Iterator[dict[str, pa.Table]]:
    reference, days = history.reference, history.days
    written = Records(reference, days, history.seed, history.starts.serial_digits)
    begin, end = days.begin(begin_day), days.begin(end_day)
    if begin == end:
        yield {name: schema.empty_table() for name, schema in records.SCHEMAS.items()}
    # A day more than the limit: a clock change makes a week longer.
    first_week = max(0, (begin_day - reference.rates.life_limit_days - 1) // 7)
    attempts, reworks = np.empty(0, ATTEMPT), np.empty(0, REWORK)
    for week in range(first_week, -(-end_day // 7)):
        for complete_until, new_attempts, new_reworks in _run_week(history, week):
            attempts = _within(begin, end, attempts, *new_attempts)
            reworks = _within(begin, end, reworks, *new_reworks)
            if begin < complete_until:
                ready_attempts, attempts = _split(complete_until, attempts)
                ready_reworks, reworks = _split(complete_until, reworks)
                yield {"test_record": written.test_records(ready_attempts), "rework": written.reworks(ready_reworks)}


def _run_week(history: _History, week: int) -> Iterator[tuple[int, list[np.ndarray], list[np.ndarray]]]:
    """The week's modules in order of start; gives the instant that no later one comes before, attempts and reworks."""
    reference, days, starts = history.reference, history.days, history.starts
    rng = np.random.default_rng(np.random.SeedSequence(history.seed, spawn_key=(1, week)))
    begin, end = days.begin(7 * week), days.begin(7 * (week + 1))
    modules = starts.of_week(reference, rng, week, begin, end)
    disturbances: Disturbances = history.faults.disturbances(begin, end + reference.rates.life_limit_days * DAY)
    golden = [run_golden_units(reference, rng, starts.scale, begin=begin, end=end, disturbances=disturbances)]
    for first in range(0, max(1, len(modules)), MODULES_AT_ONCE):
        following = first + MODULES_AT_ONCE
        attempts, reworks = run_modules(reference, rng, modules[first:following], disturbances)
        complete_until = int(modules["start"][following]) if following < len(modules) else end
        yield complete_until, [*golden, *attempts], reworks
        golden = []


def _within(begin: int, end: int, kept: np.ndarray, *new: np.ndarray) -> np.ndarray:
    """`kept` and those of `new` that start in [begin, end)."""
    return np.concatenate([kept, *(part[(part["start"] >= begin) & (part["start"] < end)] for part in new)])


def _split(boundary: int, records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those that start before `boundary`, by start (ties as they were made), and the others."""
    is_ready = records["start"] < boundary
    ready = records[is_ready]
    return ready[np.argsort(ready["start"], kind="stable")], records[~is_ready]
