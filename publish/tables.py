"""What is published, and its writing: every table of schema marts and every view of schema publish.

The list comes from the warehouse's catalog, so a new mart needs no change here.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import duckdb

from publish.quoting import among, identifier, literal
from publish.versions import PublishError


@dataclass(frozen=True)
class Detail:
    """How a detail table is divided: by `model`, whose weeks in ops.week are the table's, and by the columns that hold
    a week's label and its first day. Sensors are divided by days, production by weeks named by their first day."""

    model: str
    label: str = "load_week"
    start: str = "load_week_start"


DETAIL = {
    "test_attempt": Detail("test_attempt"),
    "module_status": Detail("int_module_progressed"),
    "sensor_minute": Detail("int_sensor_minute_aligned", "production_date", "production_date"),
    "sensor_hour": Detail("sensor_hour", "production_date", "production_date"),
    "summary_machine": Detail("summary_machine"),
    "report_yield_machine": Detail("summary_machine"),
    "failure_pareto": Detail("failure_pareto"),
    "report_failure_pareto": Detail("failure_pareto"),
} | {
    name: Detail(name.removeprefix("report_"), "production_week_start", "production_week_start")
    for name in (
        "station_day",
        "report_station_day",
        "stop",
        "production_rate",
        "machine_utilization",
        "downtime_pareto",
        "loss_waterfall",
        "oee_by_machine_day",
        "oee_by_machine_shift",
    )
}
"""Detail tables: those that grow by thousands of rows a night. Their Parquet is a folder with one file per week, and a
publication writes only the weeks that changed."""

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    """As DuckDB spells it: BIGINT, VARCHAR, ..."""
    comment: str | None


@dataclass(frozen=True)
class Table:
    database: str
    schema: str
    name: str
    comment: str | None
    columns: tuple[Column, ...]

    @property
    def relation(self) -> str:
        """Its quoted name, to select from."""
        return identifier(self.database, self.schema, self.name)

    @property
    def is_partitioned(self) -> bool:
        return self.name in DETAIL and any(column.name == self.detail.label for column in self.columns)

    @property
    def detail(self) -> Detail:
        """Of a detail table."""
        return DETAIL[self.name]

    @property
    def has_starts(self) -> bool:
        """Whether the week's first day is a column: by dates DuckDB finds a week's rows without reading the others."""
        return any((column.name, column.type) == (self.detail.start, "DATE") for column in self.columns)

    @property
    def parquet(self) -> str:
        """Where its Parquet is, as a glob relative to the version's folder `parquet`."""
        return f"{self.name}/*/data.parquet" if self.is_partitioned else f"{self.name}.parquet"


def read_tables(connection: duckdb.DuckDBPyConnection, database: str, marts: str, views: str = "") -> list[Table]:
    """The tables of schema `marts` and the tables and views of schema `views`, by name.

    Raises PublishError if two would be published under one name, or one has a name that can't be a file's.
    """
    # literals, not parameters: DuckDB imports pandas to bind one, which takes a third of a second
    here = f"database_name = {literal(database)} and not internal"
    schemas = ", ".join(literal(schema) for schema in (marts, views) if schema)
    found = connection.execute(
        f"""
        select schema_name, table_name, comment from duckdb_tables() where {here} and schema_name in ({schemas})
        union all
        select schema_name, view_name, comment from duckdb_views() where {here} and schema_name in ({schemas})
        order by table_name, schema_name
        """
    ).fetchall()
    columns: dict[tuple[str, str], list[Column]] = {}
    for schema, table, *column in connection.execute(
        f"""
        select schema_name, table_name, column_name, data_type, comment from duckdb_columns()
        where {here} order by schema_name, table_name, column_index
        """
    ).fetchall():
        columns.setdefault((schema, table), []).append(Column(*column))
    taken: dict[str, str] = {}
    for schema, name, _ in found:
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            raise PublishError(f"{schema}.{name!r}: a published table is named with letters, digits and _")
        if other := taken.get(name.lower()):
            raise PublishError(f"{schema}.{name} and {other} would be published under one name")
        taken[name.lower()] = f"{schema}.{name}"
    return [Table(database, schema, name, comment, tuple(columns[schema, name])) for schema, name, comment in found]


def write_table(connection: duckdb.DuckDBPyConnection, table: Table, database: str) -> None:
    """Copies a table into schema main of the attached `database`, with comments, in place of one that is there.

    Detail tables in the order of their weeks, so that a week's rows lie together; others in the warehouse's order. A
    view is evaluated once, here, and is a table from then on.
    """
    target = identifier(database, "main", table.name)
    order = f"order by {table.detail.start}" if table.is_partitioned and table.has_starts else ""
    connection.execute(f"create or replace table {target} as from {table.relation} {order}")
    if table.comment:
        connection.execute(f"comment on table {target} is {literal(table.comment)}")
    for column in table.columns:
        if column.comment:
            name = f"{target}.{identifier(column.name)}"
            connection.execute(f"comment on column {name} is {literal(column.comment)}")


def write_parquet(
    connection: duckdb.DuckDBPyConnection, table: Table, database: str, folder: Path, weeks: list[str | None]
) -> None:
    """Writes `<folder>/<table>.parquet`, or `<folder>/<table>/load_week=<week>/data.parquet` for `weeks` of a detail
    table, of sensors `production_date=<day>`.

    As in every Hive layout the partition's column is in the path, not in the file: pandas refuses to read both.
    """
    source = identifier(database, "main", table.name)
    if not table.is_partitioned:
        _copy(connection, f"from {source}", folder / table.parquet)
        return
    for week in weeks:
        file = partition(folder, table, week)
        file.parent.mkdir(parents=True)
        label = table.detail.label
        _copy(connection, f"select * exclude ({label}) from {source} where {among(label, [week])}", file)


def partition(folder: Path, table: Table, week: str | None) -> Path:
    """The Parquet file of a week of a detail table."""
    value = NULL_PARTITION if week is None else quote(week, safe="")
    return folder / table.name / f"{table.detail.label}={value}" / "data.parquet"


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    connection.execute(f"copy ({query}) to {literal(file)} (format parquet)")
