"""The yield marts once more, in loops and dicts: what the metrics' definitions say, obvious rather than fast.

`expected_marts` takes records as a plant sends them (their time as an aware datetime, `at`; `record_hash` as the loader
made it) and gives each mart's rows as dicts. It shares no code with the models, so that where both agree, both read the
definitions the same way. Times in seconds, shares 0-1; a figure over nothing is None.
"""

from collections import Counter
from math import exp, log, prod, sqrt
from statistics import NormalDist

from oracle_modules import (
    Route,
    Row,
    Settings,
    describe_module,
    find_route,
    gather_modules,
    grouped,
    is_run,
    is_settled,
    order_attempts,
    week_label,
)

Z = NormalDist().inv_cdf(0.975)  # 1.96: standard errors on either side of a 95 % interval


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
