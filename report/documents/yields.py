"""yield.html and yield.xlsx: yields by load week of products, tests and machines.

Rows are bounded (`DETAIL_WEEKS`, `ROW_LIMITS`): a page of years would open on nobody's phone. What only the pages of
one role need is not in the file of another.
"""

from report.charts import by_category, by_week, duration_by_week, outcome_by_week, pareto
from report.columns import Names, columns_of
from report.document import Document, Page
from report.publication import MART_OF_VIEW, Publication, last_that_fit
from report.workbook_summary import add_summary

DETAIL_WEEKS = 26
HISTORY_ROWS = 20_000
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


class YieldData:
    """Reads the views once; `of(pages)` picks what these pages need."""

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

    def of(self, pages: list[str]) -> dict:
        """The JSON that assets/yield/figures.js reads."""
        names = {key: Names() for key in KEYS}
        names["week"].extend(self.weeks)
        tables = {"product": columns_of(self.by_product, ["week", "product"], PRODUCT_COLUMNS, names)}
        tables["step"] = columns_of(self.by_test, ["week", "product", "test"], PRODUCT_TEST_COLUMNS, names)
        if "test" in pages:
            tables["machine"] = columns_of(
                self.by_machine, ["week", "product", "test", "machine"], MACHINE_COLUMNS, names
            )
        if "test" in pages or "product_test" in pages:
            tables["fail"] = columns_of(self.fails, ["week", "product", "test", "error"], ["fail_count"], names)
        return {
            "names": {key: list(dictionary) for key, dictionary in names.items()},
            "detailFrom": len(self.weeks) - len(self.detail_weeks),
            "tables": tables,
            "targets": [[t.metric, t.product_name, t.test_name, t.low] for t in self.publication.targets],
            "definitions": self._definitions(),
        }

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


def charts() -> dict[str, dict]:
    """All charts by the name under which the page asks for them."""
    return {
        "modules_by_week": by_week("Modules"),
        "modules_by_category": by_category("Modules"),
        "attempts_by_machine": by_category("Test attempts", "Passing rate", ("first",)),
        "failure_pareto": pareto("Failed attempts"),
        "outcome_by_week": outcome_by_week(),
        "duration_by_week": duration_by_week(),
    }


DOCUMENT = Document(
    name="yield",
    title="Yield",
    pages={
        "topline": Page("Topline"),
        "product": Page("Product"),
        "test": Page("Test"),
        "product_test": Page("Product × test"),
    },
    sheets={mart: view for view, mart in MART_OF_VIEW.items()},
    scripts=("figures.js", "sections.js", "pages.js"),
    charts=charts,
    data=YieldData,
    summary=add_summary,
    always=True,
)
