"""The plant to simulate: the reference CSVs as arrays, checked against each other.

Products, tests, machines and error codes are numbered in the order of their files; a step is a row of all routes,
sorted by product, then sequence.
"""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from generator.choice import Choice
from generator.production.reading import PRODUCTION_PARAMETERS
from generator.reference_files import PROBABILITY, SECONDS, GeneratorError, Number, read_rows

COUNT = Number(low=1, high=10_000, whole=True)


def _within(number: Number):
    return field(metadata={"range": number})


@dataclass(frozen=True)
class Rates:
    """simulation.csv: one field per parameter, its range here, its meaning in docs/simulated_plant.md."""

    retest_wait_s: float = _within(SECONDS)
    wait_shape: float = _within(Number(low=0.1, high=1000))
    rework_probability: float = _within(PROBABILITY)
    max_reworks: int = _within(Number(high=100, whole=True))
    rework_wait_s: float = _within(SECONDS)
    rework_duration_s: float = _within(SECONDS)
    error_rate: float = _within(Number(high=0.5))
    abort_rate: float = _within(Number(high=0.5))
    engineering_share: float = _within(PROBABILITY)
    golden_runs_per_week: float = _within(Number(high=1e6))
    golden_pass_probability: float = _within(PROBABILITY)
    lot_size: int = _within(COUNT)
    fixtures_per_machine: int = _within(COUNT)
    operator_count: int = _within(COUNT)
    technician_count: int = _within(COUNT)
    shift_hours: float = _within(Number(low=1, high=24))
    shifts_in_rotation: int = _within(COUNT)
    software_release_weeks: int = _within(COUNT)
    life_limit_days: int = _within(Number(low=1, high=100, whole=True))
    fault_free_days: int = _within(Number(high=10_000, whole=True, default=28))


@dataclass(frozen=True)
class Steps:
    """The routes, one element per step."""

    product: np.ndarray
    test: np.ndarray
    is_last: np.ndarray
    max_attempts: np.ndarray
    pass_probability: np.ndarray
    retest_pass_factor: np.ndarray
    pass_duration_s: np.ndarray
    fail_duration_s: np.ndarray
    duration_sd: np.ndarray
    wait_s: np.ndarray


@dataclass(frozen=True)
class Reference:
    products: list[str]
    prefixes: list[str]
    """Serial prefix of each product; products of one prefix share one count of serials."""
    prefix_of_product: np.ndarray
    """Number of the product's prefix, counted over the different ones."""
    weekly_start_qty: np.ndarray
    weekly_start_sd: np.ndarray
    tests: list[str]
    machines: list[str]
    lines: list[str]
    """Line of each machine; empty where it stands in none."""
    error_codes: list[str]
    components: list[str]
    steps: Steps
    first_step: np.ndarray
    """First step of each product; -1 for one without a route, which is never started."""
    machine_of_test: Choice
    error_code_of_test: Choice
    component_of_rework: Choice
    rates: Rates


def read_reference(folder: Path) -> Reference:
    """Reads and checks the CSVs of `folder`; raises GeneratorError."""
    folder = Path(folder)
    products = read_rows(folder, "products")
    tests = _names(folder, "tests", "test_name", read_rows(folder, "tests"))
    machine_list = read_rows(folder, "machines")
    machines = _names(folder, "machines", "machine_id", machine_list)
    product_names = _names(folder, "products", "product_name", products)
    prefixes = [row["serial_prefix"] for row in products]
    steps, first_step = _read_steps(folder, product_names, tests)
    for row, step in zip(products, first_step, strict=True):
        if step < 0 and row["weekly_start_qty"] > 0:
            raise GeneratorError(
                f"{folder / 'routes.csv'}: product {row['product_name']!r} is started but has no route"
            )
    if not any(row["weekly_start_qty"] > 0 for row in products):
        raise GeneratorError(f"{folder / 'products.csv'}: weekly_start_qty: is 0 for every product")
    machine_rows = read_rows(folder, "machine_tests")
    _check_unique(folder, "machine_tests", machine_rows, "machine_id", "test_name")
    machine_numbers = _numbers(folder, "machine_tests", "machine_id", machine_rows, machines)
    code_rows = read_rows(folder, "error_codes")
    _check_unique(folder, "error_codes", code_rows, "test_name", "error_code")
    component_rows = read_rows(folder, "components")
    if not sum(row["share"] for row in component_rows) > 0:
        raise GeneratorError(f"{folder / 'components.csv'}: share: the shares sum to 0")
    return Reference(
        products=product_names,
        prefixes=prefixes,
        prefix_of_product=np.array([sorted(set(prefixes)).index(prefix) for prefix in prefixes]),
        weekly_start_qty=_column(products, "weekly_start_qty"),
        weekly_start_sd=_column(products, "weekly_start_sd"),
        tests=tests,
        machines=machines,
        lines=[row["line_id"] for row in machine_list],
        error_codes=[row["error_code"] for row in code_rows],
        components=_names(folder, "components", "component", component_rows),
        steps=steps,
        first_step=first_step,
        machine_of_test=_choice_by_test(
            folder, "machine_tests", machine_rows, machine_numbers, tests=tests, steps=steps
        ),
        error_code_of_test=_choice_by_test(
            folder, "error_codes", code_rows, np.arange(len(code_rows)), tests=tests, steps=steps
        ),
        component_of_rework=Choice(
            np.zeros(len(component_rows), int), np.arange(len(component_rows)), _column(component_rows, "share")
        ),
        rates=_read_rates(folder),
    )


def _read_steps(folder: Path, products: list[str], tests: list[str]) -> tuple[Steps, np.ndarray]:
    rows = read_rows(folder, "routes")
    _check_unique(folder, "routes", rows, "product_name", "test_name")
    _check_unique(folder, "routes", rows, "product_name", "sequence")
    product = _numbers(folder, "routes", "product_name", rows, products)
    test = _numbers(folder, "routes", "test_name", rows, tests)
    order = np.lexsort((_column(rows, "sequence"), product))
    product, test = product[order], test[order]
    first_step = np.full(len(products), -1)
    first_step[product[::-1]] = np.arange(len(product))[::-1]
    steps = Steps(
        product=product,
        test=test,
        is_last=np.append(product[1:] != product[:-1], True),
        max_attempts=_column(rows, "max_attempts")[order].astype(np.int64),
        **{
            column.name: _column(rows, column.name)[order]
            for column in fields(Steps)
            if column.name not in {"product", "test", "is_last", "max_attempts"}
        },
    )
    return steps, first_step


def _read_rates(folder: Path) -> Rates:
    file = folder / "simulation.csv"
    rows = read_rows(folder, "simulation")
    _check_unique(folder, "simulation", rows, "parameter")
    given = {row["parameter"]: row["value"] for row in rows}
    known = {parameter.name: parameter for parameter in fields(Rates)}
    if unknown := sorted(given.keys() - known.keys() - PRODUCTION_PARAMETERS):
        raise GeneratorError(f"{file}: parameter: {unknown[0]!r}: unknown; known are {', '.join(sorted(known))}")
    values = {}
    for name, parameter in known.items():
        if name not in given:
            if parameter.metadata["range"].default is not None:
                values[name] = int(parameter.metadata["range"].default)
                continue
            raise GeneratorError(f"{file}: parameter {name} is missing; the simulator needs it")
        try:
            parameter.metadata["range"].parse(str(given[name]))
        except ValueError as error:
            raise GeneratorError(f"{file}: {name}: {given[name]:g}: {error}") from None
        values[name] = int(given[name]) if parameter.type is int else given[name]
    return Rates(**values)


def _choice_by_test(
    folder: Path, name: str, rows: list[dict], members: np.ndarray, *, tests: list[str], steps: Steps
) -> Choice:
    groups = _numbers(folder, name, "test_name", rows, tests)
    shares = _column(rows, "share")
    for test in np.unique(steps.test):
        where = groups == test
        if not where.any():
            raise GeneratorError(
                f"{folder / f'{name}.csv'}: test_name: no row for {tests[test]!r}, which is on a route"
            )
        if not math.fsum(shares[where]) > 0:
            raise GeneratorError(f"{folder / f'{name}.csv'}: share: the shares of test {tests[test]!r} sum to 0")
    return Choice(groups, members, shares)


def _column(rows: list[dict], column: str) -> np.ndarray:
    return np.array([row[column] for row in rows], dtype=np.float64)


def _names(folder: Path, name: str, column: str, rows: list[dict]) -> list[str]:
    _check_unique(folder, name, rows, column)
    return [row[column] for row in rows]


def _numbers(folder: Path, name: str, column: str, rows: list[dict], known: list[str]) -> np.ndarray:
    position = {value: number for number, value in enumerate(known)}
    for row in rows:
        if row[column] not in position:
            home = {"product_name": "products", "test_name": "tests", "machine_id": "machines"}[column]
            raise GeneratorError(f"{folder / f'{name}.csv'}: {column}: {row[column]!r}: not in {home}.csv")
    return np.array([position[row[column]] for row in rows], dtype=np.int64)


def _check_unique(folder: Path, name: str, rows: list[dict], *key: str) -> None:
    seen = set()
    for row in rows:
        value = tuple(row[column] for column in key)
        if value in seen:
            shown = " / ".join(f"{part:g}" if isinstance(part, float) else repr(part) for part in value)
            raise GeneratorError(f"{folder / f'{name}.csv'}: {', '.join(key)}: {shown} is there twice")
        seen.add(value)
