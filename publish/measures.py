"""What two copies of a table are compared by. Per week, the number of rows and for each column

- the number of values that are not NULL,
- integers and decimals: the sum, exactly,
- floating point: the sums of its positive and of its negative values, within 1e-9 relative (apart, so that nothing
  cancels), and a checksum of those that are NaN or infinite,
- everything else: a checksum, the sum of DuckDB's hashes of the values.

The week is that of a detail table (of sensors, the day), else load_week, else the ISO week of production_date; a table
with neither is compared as a whole.
"""

import duckdb

from publish.quoting import identifier
from publish.tables import Column, Table

FLOATS = ("FLOAT", "DOUBLE")
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


def count_rows(connection: duckdb.DuckDBPyConnection, table: Table, relation: str) -> dict[str | None, tuple]:
    """Per week, the first of the values of `measures(table)`."""
    found = connection.execute(f"select {_week(table)}, count(*) from {relation} group by 1").fetchall()
    return {week: (rows,) for week, rows in found}


def measure(
    connection: duckdb.DuckDBPyConnection, table: Table, relation: str, where: str = "true"
) -> dict[str | None, tuple]:
    """Per week, the values of `measures(table)` over the rows that `where` selects.

    `relation` has the table's columns, in types that cast to its own.
    """
    expressions = ", ".join(expression for _, _, expression in measures(table))
    columns = ", ".join(
        f"cast({identifier(column.name)} as {column.type}) as {identifier(column.name)}" for column in table.columns
    )
    found = connection.execute(
        f"with typed as (select {columns} from {relation} where {where})"
        f" select {_week(table)}, {expressions} from typed group by 1"
    ).fetchall()
    return {week: tuple(values) for week, *values in found}


def measures(table: Table) -> list[tuple[str | None, str, str]]:
    """Column (None: of the row), what is measured, and its SQL. The first is the number of rows."""
    return [(None, "number of rows", "count(*)")] + [
        (column.name, *each) for column in table.columns for each in _of_column(column)
    ]


def _of_column(column: Column) -> list[tuple[str, str]]:
    name = identifier(column.name)
    count = ("number of values", f"count({name})")
    if column.type in INTEGERS or column.type.startswith("DECIMAL"):
        return [count, ("sum", f"sum({name})")]
    if column.type in FLOATS:
        finite = f"isfinite({name})"
        return [
            count,
            ("sum of positive values", f"sum({name}) filter (where {finite} and {name} > 0)"),
            ("sum of negative values", f"sum({name}) filter (where {finite} and {name} < 0)"),
            ("checksum of infinite and NaN values", f"sum(hash({name})) filter (where not {finite})"),
        ]
    return [count, ("checksum", f"sum(hash({name}))")]


def _week(table: Table) -> str:
    names = {column.name for column in table.columns}
    if table.is_partitioned:
        return f"cast({table.detail.label} as varchar)"
    if "load_week" in names:
        return "cast(load_week as varchar)"
    if "production_date" in names:
        return "strftime(production_date, '%G-W%V')"
    return "'all'"
