"""Attempts and modules as the metrics' definitions describe them, in loops and dicts; oracle.py sums them up.

Records are dicts as a plant sends them, with their time as an aware datetime, `at`, and the loader's `record_hash`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

Row = dict[str, object]
DEFAULT_MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Settings:
    """The `plant:` section of plant.yml."""

    timezone: str
    production_day_start_minutes: int
    serial_reuse_days: int | None
    wip_stale_days: int


@dataclass
class Module:
    """A serial number, product and life with a production attempt; `attempts` and `decisions` are in order."""

    serial_num: str
    product_name: str
    life_number: int
    attempts: list[Row]
    repairs: list[Row]
    decisions: list[Row]

    @property
    def load_week_start(self) -> date:
        return self.attempts[0]["production_week_start"]

    @property
    def last_touched_at(self) -> datetime:
        return max(row["at"] for row in [self.attempts[-1], *self.repairs])

    def runs(self, test: str) -> list[Row]:
        return [row for row in self.attempts if row["test_name"] == test and is_run(row)]

    def passed_first(self, test: str) -> bool:
        return passed(self.runs(test)[:1])

    def passed_last(self, test: str) -> bool:
        return passed(self.runs(test)[-1:])


@dataclass
class Route:
    """`steps`: (sequence, max_attempts) by test."""

    steps: dict[str, tuple[int, int]]
    is_inferred: bool

    def max_attempts(self, test: str) -> int:
        return self.steps.get(test, (0, DEFAULT_MAX_ATTEMPTS))[1]


# --- attempts -------------------------------------------------------------------------------------------------------


def order_attempts(records: list[Row], settings: Settings) -> list[Row]:
    """One row per attempt, numbered within its module."""
    attempts = [
        choose_copy(copies, settings)
        for copies in grouped(records, "serial_num", "product_name", "test_name", "machine_id", "at").values()
    ]
    for of_unit in grouped(attempts, "serial_num", "product_name").values():
        number_lives(of_unit, settings)
    for of_life in grouped(attempts, "serial_num", "product_name", "life_number").values():
        number_attempts(of_life)
    return attempts


def choose_copy(copies: list[Row], settings: Settings) -> Row:
    """The copy that counts: the highest revision, one without being lower than any; then the highest hash."""
    chosen = max(copies, key=lambda row: (-1 if row["revision"] is None else row["revision"], row["record_hash"]))
    local = chosen["at"].astimezone(ZoneInfo(settings.timezone)).replace(tzinfo=None)
    day = (local - timedelta(minutes=settings.production_day_start_minutes)).date()
    return chosen | {
        "run_purpose": chosen["run_purpose"] or "production",
        "copy_count": len(copies),
        "is_conflict": len({row["record_hash"] for row in copies}) > 1,
        "test_timestamp_local": local,
        "production_date": day,
        "production_week_start": day - timedelta(days=day.weekday()),
    }


def attempt_order(row: Row) -> tuple:
    return row["at"], row["machine_id"], row["test_result"], row["record_hash"]


def number_lives(attempts: list[Row], settings: Settings) -> None:
    """A new life begins after more than `serial_reuse_days` without a record."""
    life, last = 1, None
    for row in sorted(attempts, key=attempt_order):
        reuse = settings.serial_reuse_days
        if last is not None and reuse is not None and row["at"] - last > timedelta(days=reuse):
            life += 1
        row["life_number"], last = life, row["at"]


def number_attempts(attempts: list[Row]) -> None:
    """Attempts of one life. Without a production attempt it is no module, and each attempt has its own week."""
    ordered = sorted(attempts, key=attempt_order)
    is_module = any(row["run_purpose"] == "production" for row in ordered)
    for number, row in enumerate(ordered, 1):
        week = ordered[0]["production_week_start"] if is_module else row["production_week_start"]
        row |= {
            "attempt_number": number if is_module else None,
            "load_week_start": week,
            "load_week": week_label(week),
            "run_number": None,
            "is_last_run": None,
        }
    for runs in grouped(filter(is_run, ordered), "test_name").values():
        for number, row in enumerate(runs, 1):
            row |= {"run_number": number, "is_last_run": number == len(runs)}


def is_run(row: Row) -> bool:
    return row["run_purpose"] == "production" and row["test_result"] in ("pass", "fail")


def passed(runs: list[Row]) -> bool:
    return bool(runs) and runs[-1]["test_result"] == "pass"


def week_label(week_start: date) -> str:
    year, week, _ = week_start.isocalendar()
    return f"{year}-W{week:02}"


# --- modules --------------------------------------------------------------------------------------------------------


def gather_modules(
    attempts: list[Row], reworks: list[Row], dispositions: list[Row], settings: Settings
) -> list[Module]:
    modules = [
        Module(*key, sorted(rows, key=attempt_order), [], [])
        for key, rows in grouped(attempts, "serial_num", "product_name", "life_number").items()
        if rows[0]["attempt_number"] is not None
    ]
    repairs = {(row["serial_num"], row["at"], row["component"], row["action"]): row for row in reworks}.values()
    decisions = sorted(dispositions, key=lambda row: (row["at"], row["decision"]))
    for module in modules:
        module.repairs = [row for row in repairs if happened_in_life(row, module, settings)]
        module.decisions = [row for row in decisions if happened_in_life(row, module, settings)]
    return modules


def happened_in_life(event: Row, module: Module, settings: Settings) -> bool:
    """A life lasts from its first record until `serial_reuse_days` have passed without another."""
    first, last = module.attempts[0]["at"], module.attempts[-1]["at"]
    reuse = settings.serial_reuse_days
    return (
        event["serial_num"] == module.serial_num
        and first <= event["at"]
        and (reuse is None or event["at"] <= last + timedelta(days=reuse))
    )


def find_route(product: str, routes: list[Row], modules: list[Module]) -> Route:
    on_file = {
        row["test_name"]: (row["sequence"], row["max_attempts"] or DEFAULT_MAX_ATTEMPTS)
        for row in routes
        if row["product_name"] == product
    }
    if on_file:
        return Route(on_file, is_inferred=False)
    taken = {
        row["test_name"]
        for module in modules
        if module.product_name == product
        for row in module.attempts
        if is_run(row)
    }
    return Route(dict.fromkeys(taken, (0, DEFAULT_MAX_ATTEMPTS)), is_inferred=True)


def describe_module(module: Module, route: Route) -> Row:
    first, last = module.attempts[0], module.attempts[-1]
    reached = [test for test in route.steps if module.runs(test)]
    runs = [row for row in module.attempts if is_run(row)]
    is_finished = bool(route.steps) and all(module.passed_last(test) for test in route.steps)
    return {
        "serial_num": module.serial_num,
        "product_name": module.product_name,
        "life_number": module.life_number,
        "load_week": week_label(module.load_week_start),
        "load_week_start": module.load_week_start,
        "first_tested_at": first["at"],
        "last_tested_at": last["at"],
        "last_touched_at": module.last_touched_at,
        "status": "scrap" if is_scrap_after(module, route) else "finished" if is_finished else "work_in_progress",
        "last_test_name": last["test_name"],
        "last_test_result": last["test_result"],
        "last_machine_id": last["machine_id"],
        "last_decision": module.decisions[-1]["decision"] if module.decisions else None,
        "tests_on_route": len(route.steps),
        "tests_reached": len(reached),
        "tests_first_passed": sum(module.passed_first(test) for test in route.steps),
        "tests_last_passed": sum(module.passed_last(test) for test in route.steps),
        "is_unit_first_pass": bool(route.steps) and all(module.passed_first(test) for test in route.steps),
        "attempt_count": len(module.attempts),
        "run_count": len(runs),
        "fail_count": sum(row["test_result"] == "fail" for row in runs),
        "rework_events": len(module.repairs),
        "is_reopened": any(is_scrap_after(module, route, count) for count in range(1, len(module.attempts))),
        "is_route_escape": not route.is_inferred
        and any(
            route.steps[test][0] < route.steps[later][0]
            for later in reached
            for test in route.steps
            if test not in reached
        ),
    }


def is_scrap_after(module: Module, route: Route, count: int | None = None) -> bool:
    """Whether the module is scrap after its first `count` attempts and all that was done before the next, if any.

    A repair or decision at the very start of an attempt: the repair came before it, the decision after it.
    """
    attempts, following = module.attempts[:count], module.attempts[len(module.attempts) if count is None else count :]
    until = following[0]["at"] if following else None
    last = attempts[-1]
    decisions = [row for row in module.decisions if until is None or row["at"] < until]
    if decisions and decisions[-1]["decision"] == "scrap" and decisions[-1]["at"] >= last["at"]:
        return True
    since = max((row["at"] for row in module.repairs if until is None or row["at"] <= until), default=None)
    fails = [
        row
        for row in attempts
        if row["test_name"] == last["test_name"]
        and is_run(row)
        and row["test_result"] == "fail"
        and (since is None or row["at"] >= since)
    ]
    return last in fails and len(fails) >= route.max_attempts(last["test_name"])


def is_settled(status: Row, clock: datetime, settings: Settings) -> bool:
    """Finished, scrap, or work in progress that nobody has touched for longer than `wip_stale_days`."""
    untouched = clock - status["last_touched_at"]
    return status["status"] != "work_in_progress" or untouched > timedelta(days=settings.wip_stale_days)


def grouped(rows: Iterable[Row], *columns: str) -> dict[tuple, list[Row]]:
    groups: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[column] for column in columns)].append(row)
    return groups
