"""The history of a simulated plant, cut into any ranges of production days.

Each start week has a random stream of its own that decides all its modules will ever do, and no module lives longer
than `life_limit_days`. So a range of days needs only the start weeks that can still be running in it, and a history
made in pieces equals the one made whole.
"""

from collections.abc import Iterator
from datetime import date, time
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from generator import production
from generator.process import ATTEMPT, REWORK, run_golden_units, run_modules
from generator.production import Production, read_production, truth
from generator.production_days import ProductionDays
from generator.records import SCHEMAS, Records
from generator.reference import GeneratorError, Reference, read_reference
from generator.starts import LONGEST_DAYS, Starts, plan_starts

MODULES_AT_ONCE = 50_000


def schemas(reference_folder: Path) -> dict[str, pa.Schema]:
    """The tables that a plant's simulation has: always test_record and rework. Raises GeneratorError."""
    return SCHEMAS | production.schemas(reference_folder)


def true_effects(reference_folder: Path) -> dict:
    """What is really so of crews, machines and products (production.truth); empty where no machines are simulated."""
    found = read_production(reference_folder)
    return truth(found) if found else {}


def simulate(
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
) -> dict[str, pa.Table]:
    """The tables (schemas()) of the production days [begin_day, end_day).

    A record belongs to the day in which it starts. Days count from 0 = `start`, each from `day_start` in `timezone`.
    `scale` multiplies the weekly starts and golden runs. No serial comes back within `serial_reuse_days` (None: never).
    Raises GeneratorError.
    """
    found: dict[str, list[pa.Table]] = {}
    for piece in simulate_weeks(
        reference_folder,
        seed=seed,
        scale=scale,
        start=start,
        timezone=timezone,
        day_start=day_start,
        begin_day=begin_day,
        end_day=end_day,
        serial_reuse_days=serial_reuse_days,
    ):
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
) -> Iterator[dict[str, pa.Table]]:
    """The same as simulate in pieces, which have some of the tables each.

    First test_record and rework, at least one piece, in order of time: a week (7 days from `start`) or less, from at
    most MODULES_AT_ONCE modules, so that memory does not grow with scale or length. Then what machines and orders are
    about, a week or less each.
    """
    if not 0 <= begin_day <= end_day <= LONGEST_DAYS:
        raise GeneratorError(f"days {begin_day} to {end_day}: expected 0 <= begin <= end <= {LONGEST_DAYS}")
    if seed < 0:
        raise GeneratorError(f"seed: {seed}: expected a whole number from 0")
    if not 0 < scale <= 1000:
        raise GeneratorError(f"scale: {scale}: expected a number above 0 to 1000")
    reference = read_reference(reference_folder)
    days = ProductionDays(start, timezone, day_start)
    starts = plan_starts(reference, seed, scale, -(-end_day // 7), serial_reuse_days)
    pieces = _pieces(reference, days, starts, seed, begin_day=begin_day, end_day=end_day)
    produced = read_production(reference_folder)
    return chain(pieces, Production(produced, days, seed).weeks(begin_day, end_day)) if produced else pieces


def _pieces(
    reference: Reference, days: ProductionDays, starts: Starts, seed: int, *, begin_day: int, end_day: int
) -> Iterator[dict[str, pa.Table]]:
    records = Records(reference, days, seed, starts.serial_digits)
    begin, end = days.begin(begin_day), days.begin(end_day)
    if begin == end:
        yield {name: schema.empty_table() for name, schema in SCHEMAS.items()}
    # A day more than the limit: a clock change makes a week longer.
    first_week = max(0, (begin_day - reference.rates.life_limit_days - 1) // 7)
    attempts, reworks = np.empty(0, ATTEMPT), np.empty(0, REWORK)
    for week in range(first_week, -(-end_day // 7)):
        for complete_until, new_attempts, new_reworks in _run_week(reference, days, starts, seed, week):
            attempts = _within(begin, end, attempts, *new_attempts)
            reworks = _within(begin, end, reworks, *new_reworks)
            if begin < complete_until:
                ready_attempts, attempts = _split(complete_until, attempts)
                ready_reworks, reworks = _split(complete_until, reworks)
                yield {"test_record": records.test_records(ready_attempts), "rework": records.reworks(ready_reworks)}


def _run_week(
    reference: Reference, days: ProductionDays, starts: Starts, seed: int, week: int
) -> Iterator[tuple[int, list[np.ndarray], list[np.ndarray]]]:
    """The week's modules in order of start; gives the instant that no later one comes before, attempts and reworks."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, week)))
    begin, end = days.begin(7 * week), days.begin(7 * (week + 1))
    modules = starts.of_week(reference, rng, week, begin, end)
    golden = [run_golden_units(reference, rng, starts.scale, begin, end)]
    for first in range(0, max(1, len(modules)), MODULES_AT_ONCE):
        following = first + MODULES_AT_ONCE
        attempts, reworks = run_modules(reference, rng, modules[first:following])
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
