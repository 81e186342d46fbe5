"""The yield marts once more, in loops and dicts: what the metrics' definitions say, obvious rather than fast.

`expected_marts` takes records as a plant sends them (their time as an aware datetime, `at`; `record_hash` as the loader
made it) and gives each mart's rows as dicts. It shares no code with the models, so that where both agree, both read the
definitions the same way. Times in seconds, shares 0-1; a figure over nothing is None.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import exp, log, prod, sqrt
from statistics import NormalDist
from zoneinfo import ZoneInfo

Row = dict[str, object]
Z = NormalDist().inv_cdf(0.975)  # 1.96: standard errors on either side of a 95 % interval
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


def expected_marts(
    test_records: list[Row], reworks: list[Row], dispositions: list[Row], routes: list[Row], settings: Settings
) -> dict[str, list[Row]]:
    attempts = order_attempts(test_records, settings)
    modules = gather_modules(attempts, reworks, dispositions, settings)
    products = {module.product_name for module in modules}
    routes_by_product = {product: find_route(product, routes, modules) for product in products}
    statuses = [describe_module(module, routes_by_product[module.product_name]) for module in modules]
    clock = max((row["at"] for row in attempts), default=None)
    maturity = {
        key: all(is_settled(status, clock, settings) for status in of_key)
        for key, of_key in grouped(statuses, "load_week_start", "product_name").items()
    }
    runs = [row for row in attempts if is_run(row)]
    by_test = [
        summarise_test(key, rows, maturity[key[:2]])
        for key, rows in grouped(runs, "load_week_start", "product_name", "test_name").items()
    ]
    return {
        "test_attempt": attempts,
        "module_status": statuses,
        "station_day": [
            describe_day(key, rows)
            for key, rows in grouped(attempts, "production_date", "machine_id", "product_name", "test_name").items()
        ],
        "failure_pareto": [
            row
            for key, rows in grouped(runs, "load_week_start", "product_name", "test_name").items()
            for row in rank_failures(key, rows)
        ],
        "summary_machine": [
            summarise_machine(key, rows)
            for key, rows in grouped(runs, "load_week_start", "product_name", "test_name", "machine_id").items()
        ],
        "summary_prod_test": by_test,
        "summary_prod": [
            summarise_product(key, of_key, by_test, routes_by_product[key[1]], maturity[key])
            for key, of_key in grouped(statuses, "load_week_start", "product_name").items()
        ],
    }


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


# --- summaries ------------------------------------------------------------------------------------------------------


def summarise_machine(key: tuple, runs: list[Row]) -> Row:
    week, product, test, machine = key
    passes = sum(row["test_result"] == "pass" for row in runs)
    return {
        "load_week": week_label(week),
        "load_week_start": week,
        "product_name": product,
        "test_name": test,
        "machine_id": machine,
        "test_count": len(runs),
        "pass_count": passes,
        **share("passing_rate", passes, len(runs)),
        **durations(runs),
        **mean_durations(runs),
    }


def summarise_test(key: tuple, runs: list[Row], is_mature: bool) -> Row:
    week, product, test = key
    first = [row for row in runs if row["run_number"] == 1]
    last = [row for row in runs if row["is_last_run"]]
    retested = [row for row in last if row["run_number"] > 1]
    first_pass_qty, cumm_pass_qty, retest_pass_qty = map(count_passes, (first, last, retested))
    return {
        "load_week": week_label(week),
        "load_week_start": week,
        "product_name": product,
        "test_name": test,
        "load_qty": len(first),
        "first_pass_qty": first_pass_qty,
        "cumm_pass_qty": cumm_pass_qty,
        **share("first_pass_yield", first_pass_qty, len(first)),
        **share("cumm_yield", cumm_pass_qty, len(first)),
        "test_qty": len(runs),
        "test_qty_pass": count_passes(runs),
        "retest_module_qty": len(retested),
        "retest_pass_qty": retest_pass_qty,
        "retest_pass_rate": retest_pass_qty / len(retested) if retested else None,
        **durations(runs),
        **mean_durations(runs),
        "is_mature": is_mature,
    }


def summarise_product(key: tuple, statuses: list[Row], by_test: list[Row], route: Route, is_mature: bool) -> Row:
    week, product = key
    factors = [
        row
        for row in by_test
        if (row["load_week_start"], row["product_name"]) == key and row["test_name"] in route.steps
    ]
    where = Counter(row["status"] for row in statuses)
    unit_first_pass_qty = sum(row["is_unit_first_pass"] for row in statuses)
    return {
        "load_week": week_label(week),
        "load_week_start": week,
        "product_name": product,
        "load_qty": len(statuses),
        "min_test_load_qty": min((row["load_qty"] for row in factors), default=None),
        "tests_reached": len(factors),
        "tests_on_route": len(route.steps),
        **rolled_yield("first_pass_yield", [(row["first_pass_qty"], row["load_qty"]) for row in factors]),
        **rolled_yield("cumm_yield", [(row["cumm_pass_qty"], row["load_qty"]) for row in factors]),
        "unit_first_pass_qty": unit_first_pass_qty,
        "unit_first_pass_yield": unit_first_pass_qty / len(statuses) if is_mature else None,
        "finished_qty": where["finished"],
        "scrap_qty": where["scrap"],
        "wip_qty": where["work_in_progress"],
        "rework_qty": sum(row["rework_events"] > 0 for row in statuses),
        "rework_events": sum(row["rework_events"] for row in statuses),
        "is_mature": is_mature,
    }


def describe_day(key: tuple, attempts: list[Row]) -> Row:
    production_date, machine, product, test = key
    production = [row for row in attempts if row["run_purpose"] == "production"]
    runs = [row for row in attempts if is_run(row)]
    first = [row for row in runs if row["run_number"] == 1]
    return {
        "production_date": production_date,
        "production_week_start": attempts[0]["production_week_start"],
        "machine_id": machine,
        "product_name": product,
        "test_name": test,
        "attempt_count": len(runs),
        "pass_count": count_passes(runs),
        "error_count": sum(row["test_result"] == "error" for row in production),
        "abort_count": sum(row["test_result"] == "abort" for row in production),
        "other_purpose_count": len(attempts) - len(production),
        "first_run_count": len(first),
        "first_run_pass_count": count_passes(first),
        **durations(runs),
    }


def rank_failures(key: tuple, runs: list[Row]) -> list[Row]:
    """The error codes of one week, product and test, the most frequent first."""
    week, product, test = key
    fails = [row | {"error_code": row["error_code"] or "(none)"} for row in runs if row["test_result"] == "fail"]
    by_code = sorted(grouped(fails, "error_code").items(), key=lambda item: (-len(item[1]), item[0]))
    rows, so_far = [], 0
    for rank, ((code,), of_code) in enumerate(by_code, 1):
        so_far += len(of_code)
        rows.append(
            {
                "load_week": week_label(week),
                "load_week_start": week,
                "product_name": product,
                "test_name": test,
                "error_code": code,
                "pareto_rank": rank,
                "fail_count": len(of_code),
                "module_qty": len({(row["serial_num"], row["life_number"]) for row in of_code}),
                "fail_share": len(of_code) / len(fails),
                "cumulative_share": so_far / len(fails),
            }
        )
    return rows


# --- figures --------------------------------------------------------------------------------------------------------


def count_passes(runs: list[Row]) -> int:
    return sum(row["test_result"] == "pass" for row in runs)


def share(name: str, part: int, whole: int) -> Row:
    """A share with its Wilson interval: the p for which (p̂ - p)² = Z² p (1 - p) / n, solved as a quadratic in p."""
    observed = part / whole
    a, b, c = 1 + Z**2 / whole, -(2 * observed + Z**2 / whole), observed**2
    root = sqrt(max(b * b - 4 * a * c, 0.0))
    return {name: observed, f"{name}_low": (-b - root) / (2 * a), f"{name}_high": (-b + root) / (2 * a)}


def rolled_yield(name: str, factors: list[tuple[int, int]]) -> Row:
    """The product of shares (part, whole) and exp(ln Y ± Z √Σ(1-p)/(n p)), at most 1; no interval at 0."""
    if not factors:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    shares = [part / whole for part, whole in factors]
    rolled = prod(shares)
    if rolled == 0:
        return {name: 0.0, f"{name}_low": None, f"{name}_high": None}
    deviation = sqrt(sum((1 - p) / (whole * p) for p, (_, whole) in zip(shares, factors, strict=True)))
    low, high = (exp(log(rolled) + sign * Z * deviation) for sign in (-1, 1))
    return {name: rolled, f"{name}_low": low, f"{name}_high": min(high, 1.0)}


def durations(runs: list[Row]) -> Row:
    row = {}
    for result in ("pass", "fail"):
        seconds = [run["test_duration_s"] for run in runs if run["test_result"] == result]
        row |= {f"{result}_duration_count": len(seconds), f"{result}_duration_sum_s": sum(seconds) if seconds else None}
    return row


def mean_durations(runs: list[Row]) -> Row:
    parts = durations(runs)
    return {
        f"avg_test_duration_{result}_s": parts[f"{result}_duration_sum_s"] / parts[f"{result}_duration_count"]
        if parts[f"{result}_duration_count"]
        else None
        for result in ("pass", "fail")
    }


def grouped(rows: Iterable[Row], *columns: str) -> dict[tuple, list[Row]]:
    groups: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[column] for column in columns)].append(row)
    return groups
