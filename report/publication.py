"""What was published, as the reports read it: the `report_*` views of `published/marts.duckdb`, and nothing else.

A `Publication` holds one read-only connection for a whole rendering, so that every report of a night is of one version
even when the next one is published meanwhile.
"""

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType

import duckdb

MART_OF_VIEW = {
    "report_yield_product": "summary_prod",
    "report_yield_product_test": "summary_prod_test",
    "report_yield_machine": "summary_machine",
    "report_station_day": "station_day",
    "report_failure_pareto": "failure_pareto",
    "report_data_quality": "data_quality",
}
"""The mart behind each view: comments that a view lacks are read from it, sheets are named by it."""


class PublicationError(RuntimeError):
    """There is nothing to report on; the message is one line."""


def quote(identifier: str) -> str:
    """A SQL identifier, quoted; the one place where a name gets into SQL text."""
    return '"' + identifier.replace('"', '""') + '"'


@dataclass(frozen=True)
class Run:
    """What the figures are of: plant, time zone, the last test (plant time, production date; None without), counts."""

    plant_name: str
    timezone: str
    as_of_local: dt.datetime | None
    as_of_date: dt.date | None
    record_count: int
    reject_count: int
    finding_count: int


@dataclass(frozen=True)
class Role:
    """A reader: `pages` are the pages and `sheet:<name>` entries it gets, in the order of the reference data."""

    name: str
    title: str
    pages: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """Below `low` a figure is coloured. `product_name`, `test_name` None: any."""

    metric: str
    product_name: str | None
    test_name: str | None
    low: float
    reason: str | None


@dataclass
class Publication:
    """Use as a context manager. `published` is the folder that holds `marts.duckdb`."""

    published: Path
    _connection: duckdb.DuckDBPyConnection = field(init=False, repr=False)

    def __enter__(self) -> "Publication":
        file = self.published / "marts.duckdb"
        if not file.exists():
            raise PublicationError(f"{file}: nothing is published yet; `make run` publishes")
        self._connection = duckdb.connect(str(file), read_only=True)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    @cached_property
    def columns(self) -> dict[str, dict[str, str]]:
        """Of each table and view of schema main: its columns in order, each with its comment ('' where none)."""
        found: dict[str, dict[str, str]] = {}
        for table, column, comment in self._connection.execute(
            "select table_name, column_name, coalesce(comment, '') from duckdb_columns() "
            "where schema_name = 'main' and database_name = current_database() order by table_oid, column_index"
        ).fetchall():
            found.setdefault(table, {})[column] = comment
        return found

    @cached_property
    def types(self) -> dict[str, dict[str, str]]:
        """Of each table and view of schema main: each column's type as DuckDB names it."""
        found: dict[str, dict[str, str]] = {}
        for table, column, name in self._connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() "
            "where schema_name = 'main' and database_name = current_database()"
        ).fetchall():
            found.setdefault(table, {})[column] = name
        return found

    @cached_property
    def comments(self) -> dict[str, str]:
        """The comment of each table and view that has one."""
        return dict(
            self._connection.execute(
                "select table_name, comment from duckdb_tables() where comment is not null and not internal "
                "union all select view_name, comment from duckdb_views() where comment is not null and not internal"
            ).fetchall()
        )

    def definitions(self, view: str) -> dict[str, str]:
        """The view's columns with their definitions; what the view does not say, its mart does."""
        mart = self.columns.get(MART_OF_VIEW.get(view, ""), {})
        return {column: comment or mart.get(column, "") for column, comment in self._of(view).items()}

    def description(self, view: str) -> str:
        """What one row of the view is."""
        return self.comments.get(view) or self.comments.get(MART_OF_VIEW.get(view, ""), "")

    def rows(
        self,
        view: str,
        columns: list[str] | None = None,
        order: list[str] | None = None,
        since: tuple[str, object] | None = None,
    ) -> list[tuple]:
        """The view's columns asked for (default all), in the order asked for (default: by all of them).

        `since`: a column and its least value, such as the first week wanted.
        """
        known = self._of(view)
        columns = columns or list(known)
        missing = [column for column in columns if column not in known]
        if missing:
            raise PublicationError(f"{self.published / 'marts.duckdb'}: {view} has no {missing[0]}; publish it anew")
        chosen = ", ".join(quote(column) for column in columns)
        sorting = ", ".join(f"{quote(column)} nulls last" for column in (order or columns))
        where = f"where {quote(since[0])} >= ?" if since else ""
        return self._connection.execute(
            f"select {chosen} from {quote(view)} {where} order by {sorting}", [since[1]] if since else []
        ).fetchall()

    def named(self, view: str, columns: list[str]) -> list[dict]:
        """The rows with the columns asked for, by their names; ordered by all of them."""
        return [dict(zip(columns, row, strict=True)) for row in self.rows(view, columns)]

    def has_rows(self, view: str) -> bool:
        """Whether the view is published, its subject being built, and has a row."""
        if view not in self.columns:
            return False
        return self._connection.execute(f"select exists (from {quote(view)})").fetchone() == (True,)

    def counts(self, view: str, column: str) -> dict:
        """How many rows the view has of each value of the column that is not NULL, least value first."""
        self._of(view)
        name = quote(column)
        return dict(
            self._connection.execute(
                f"select {name}, count(*) from {quote(view)} where {name} is not null group by 1 order by 1"
            ).fetchall()
        )

    def _of(self, view: str) -> dict[str, str]:
        if view not in self.columns:
            raise PublicationError(f"{self.published / 'marts.duckdb'}: it has no {view}; publish it anew")
        return self.columns[view]

    @cached_property
    def run(self) -> Run:
        names = ["plant_name", "timezone", "as_of_local", "as_of_date", "record_count", "reject_count", "finding_count"]
        rows = self.rows("report_run", names)
        if not rows:
            return Run("", "", None, None, 0, 0, 0)
        name, zone, as_of, day, *numbers = rows[0]
        return Run(name or "", zone or "", as_of, day, *(int(number or 0) for number in numbers))

    @cached_property
    def last_day(self) -> dt.date | None:
        """The production date of the last test, without tests the last of machine time. None: no records."""
        if self.run.as_of_date or not self.has_rows("report_oee_machine_day"):
            return self.run.as_of_date
        return max(self.counts("report_oee_machine_day", "production_date"))

    @cached_property
    def roles(self) -> list[Role]:
        """The roles of the reference data; without any, one role `all` that gets everything (`pages` is empty)."""
        pages: dict[str, list[str]] = {}
        titles: dict[str, str] = {}
        for role, page, title in self.rows("report_role", ["role", "page", "title"]):
            pages.setdefault(role, []).append(page)
            titles.setdefault(role, title or role)
        return [Role(role, titles[role], tuple(pages[role])) for role in pages] or [Role("all", "All reports", ())]

    @cached_property
    def targets(self) -> list[Target]:
        names = ["metric", "product_name", "test_name", "low", "reason"]
        return [Target(*row) for row in self.rows("report_yield_target", names)]


def low_limit(targets: list[Target], metric: str, product: str | None, test: str | None) -> float | None:
    """The threshold of a figure: the most specific row that fits (product and test, test, product, any). None: none."""
    best: tuple[int, float] | None = None
    for target in targets:
        fits = target.metric == metric and target.product_name in (None, product) and target.test_name in (None, test)
        rank = 2 * (target.test_name is not None) + (target.product_name is not None)
        if fits and (best is None or rank > best[0]):
            best = (rank, target.low)
    return best[1] if best else None


def last_that_fit(counts: dict, most: int) -> list:
    """The last values of `Publication.counts` whose rows together are at most `most`; at least the last one."""
    kept, total = [], 0
    for value in reversed(counts):
        total += counts[value]
        if kept and total > most:
            break
        kept.append(value)
    return kept[::-1]
