"""What the HTML report carries: published rows as columns, each name once in a dictionary.

Rows are bounded (`DETAIL_WEEKS`, `ROW_LIMITS`): a page of years would open on nobody's phone. What only the pages of
one role need is not in the file of another.
"""

import math
from collections.abc import Iterable

from report.publication import Publication, Role, last_that_fit

PAGES = ("topline", "product", "test", "product_test")
DETAIL_WEEKS = 26
HISTORY_ROWS = 20_000
FINDING_ROWS = 200
ROW_LIMITS = {"report_yield_product_test": 30_000, "report_yield_machine": 40_000, "report_failure_pareto": 60_000}
"""Rows of a view that a page may carry; where more lie in the last 26 weeks, it carries fewer weeks."""

KEYS = {
    "week": "load_week",
    "product": "product_name",
    "test": "test_name",
    "machine": "machine_id",
    "error": "error_code",
}

PRODUCT_COLUMNS = [
    "load_qty", "first_pass_yield", "first_pass_yield_low", "first_pass_yield_high", "cumm_yield", "cumm_yield_low",
    "cumm_yield_high", "tests_reached", "tests_on_route", "unit_first_pass_qty", "finished_qty", "scrap_qty", "wip_qty",
    "rework_qty", "is_mature",
]  # fmt: skip
DURATIONS = ["pass_duration_count", "pass_duration_sum_s", "fail_duration_count", "fail_duration_sum_s"]
PRODUCT_TEST_COLUMNS = [
    "load_qty", "first_pass_qty", "cumm_pass_qty", "test_qty", "test_qty_pass", "retest_module_qty", "retest_pass_qty",
    *DURATIONS, "is_mature", "sequence",
]  # fmt: skip
MACHINE_COLUMNS = ["test_count", "pass_count", *DURATIONS]
FINDING_COLUMNS = [
    "finding", "severity", "table_name", "load_week", "product_name", "test_name", "machine_id", "detail",
    "finding_count", "example",
]  # fmt: skip


def pages_of(role: Role) -> list[str]:
    """The role's HTML pages, in the order of the navigation. A role that names nothing gets everything."""
    return [page for page in PAGES if page in role.pages or not role.pages]


class PageData:
    """Reads the views once; `of(role)` picks what the role's pages need."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        self.weeks = last_that_fit(publication.counts("report_yield_product", "load_week"), HISTORY_ROWS)
        self.detail_weeks = self.weeks[-DETAIL_WEEKS:]
        for view, most in ROW_LIMITS.items():
            of_week = publication.counts(view, "load_week")
            fitting = last_that_fit({week: of_week.get(week, 0) for week in self.detail_weeks}, most)
            self.detail_weeks = fitting
        self.by_product = self._read("report_yield_product", ["product"], PRODUCT_COLUMNS, self.weeks)
        detail = self.detail_weeks
        self.by_test = self._read("report_yield_product_test", ["product", "test"], PRODUCT_TEST_COLUMNS, detail)
        self.by_machine = self._read("report_yield_machine", ["product", "test", "machine"], MACHINE_COLUMNS, detail)
        self.fails = self._read("report_failure_pareto", ["product", "test", "error"], ["fail_count"], detail)

    def _read(self, view: str, keys: list[str], columns: list[str], weeks: list[str]) -> list[tuple]:
        """Rows of the weeks: load week, keys, columns."""
        names = ["load_week", *(KEYS[key] for key in keys), *columns]
        return self.publication.rows(view, names, since=("load_week", weeks[0] if weeks else ""))

    def of(self, role: Role) -> dict:
        """The JSON document of a role's page; see `assets/figures.js`, which reads it."""
        pages = pages_of(role)
        names = {key: _Dictionary() for key in KEYS}
        names["week"].extend(self.weeks)
        tables = {"product": _columns(self.by_product, ["week", "product"], PRODUCT_COLUMNS, names)}
        tables["step"] = _columns(self.by_test, ["week", "product", "test"], PRODUCT_TEST_COLUMNS, names)
        if "test" in pages:
            tables["machine"] = _columns(
                self.by_machine, ["week", "product", "test", "machine"], MACHINE_COLUMNS, names
            )
        if "test" in pages or "product_test" in pages:
            tables["fail"] = _columns(self.fails, ["week", "product", "test", "error"], ["fail_count"], names)
        run = self.publication.run
        findings, all_findings = self._findings()
        return {
            "pages": pages,
            "role": role.title,
            "run": {
                "plant": run.plant_name,
                "timezone": run.timezone,
                "asOf": f"{run.as_of_local:%Y-%m-%d %H:%M}" if run.as_of_local else None,
                "records": run.record_count,
                "rejects": run.reject_count,
                "findings": run.finding_count,
            },
            "names": {key: list(dictionary) for key, dictionary in names.items()},
            "detailFrom": len(self.weeks) - len(self.detail_weeks),
            "tables": tables,
            "targets": [[t.metric, t.product_name, t.test_name, t.low] for t in self.publication.targets],
            "findings": findings,
            "allFindings": all_findings,
            "definitions": self._definitions(),
        }

    def _findings(self) -> tuple[list[list], int]:
        """The gravest rows of data_quality, and how many there are."""
        rows = self.publication.rows("report_data_quality", FINDING_COLUMNS)
        severity, count = FINDING_COLUMNS.index("severity"), FINDING_COLUMNS.index("finding_count")
        order = {"error": 0, "warning": 1}
        rows.sort(key=lambda row: (order.get(row[severity], 2), -(row[count] or 0)))
        return [list(row) for row in rows[:FINDING_ROWS]], len(rows)

    def _definitions(self) -> dict[str, dict[str, str]]:
        views = {
            "product": "report_yield_product",
            "step": "report_yield_product_test",
            "machine": "report_yield_machine",
        }
        return {
            name: {column: text for column, text in self.publication.definitions(view).items() if text}
            for name, view in views.items()
        }


class _Dictionary(dict):
    """Names to their positions, in order of first use."""

    def index(self, name: str | None) -> int | None:
        return None if name is None else self.setdefault(name, len(self))

    def extend(self, names: Iterable[str]) -> None:
        for name in names:
            self.index(name)


def _columns(rows: list[tuple], keys: list[str], columns: list[str], names: dict[str, _Dictionary]) -> dict[str, list]:
    columns_of_rows = list(zip(*rows, strict=True)) or [()] * (len(keys) + len(columns))
    table: dict[str, list] = {}
    for key, values in zip(keys, columns_of_rows, strict=False):
        table[key] = [names[key].index(value) for value in values]
    for column, values in zip(columns, columns_of_rows[len(keys) :], strict=True):
        table[column] = [_compact(value) for value in values]
    return table


def _compact(value: object) -> object:
    """JSON for a published cell: seconds and rates to nine digits, flags as 0 and 1, what is no number as null."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = float(f"{value:.9g}")
        return int(value) if value.is_integer() else value
    return value
