"""What a published table becomes in a database: types, key, and how many of its values have no counterpart there."""

from dataclasses import dataclass, replace

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from publish.quoting import identifier
from publish.tables import Column, Table
from publish.versions import PublishError

LONGEST_TABLE, LONGEST_COLUMN = 50, 63
"""Bytes. PostgreSQL cuts names after 63; a table's also has to leave room for `__new` and the name of its key."""

WHOLE = sa.Numeric(38, 0).with_variant(sa.BigInteger(), "sqlite")
TYPES = {
    "BOOLEAN": sa.Boolean(),
    "TINYINT": sa.SmallInteger(),
    "SMALLINT": sa.SmallInteger(),
    "INTEGER": sa.Integer(),
    "BIGINT": sa.BigInteger(),
    "HUGEINT": WHOLE,
    "UTINYINT": sa.Integer(),
    "USMALLINT": sa.Integer(),
    "UINTEGER": sa.BigInteger(),
    "UBIGINT": WHOLE,
    "FLOAT": sa.Double(),
    "DOUBLE": sa.Double(),
    "DATE": sa.Date(),
    "TIMESTAMP": sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
    "VARCHAR": sa.Text(),
}
MOMENTS = ("DATE", "TIMESTAMP")


@dataclass(frozen=True)
class Shape:
    """A published table as it is tonight. `key` is empty where it has none."""

    table: Table
    rows: int
    key: tuple[str, ...]
    key_has_null: bool
    longest: dict[str, int]
    """Characters of the longest value of each text column of the key."""
    unfit: dict[str, int]
    """Number of values by column that the database can't hold and that `fitted` replaces; only columns with any."""

    def without_key(self) -> "Shape":
        return replace(self, key=())

    def with_comments_up_to(self, table: int, column: int) -> "Shape":
        """Longer ones cut, in characters."""
        columns = tuple(replace(each, comment=_cut(each.comment, column)) for each in self.table.columns)
        return replace(self, table=replace(self.table, comment=_cut(self.table.comment, table), columns=columns))


def _cut(text: str | None, length: int) -> str | None:
    return text if text is None or len(text) <= length else text[: length - 3] + "..."


def column_type(column: Column) -> sa.types.TypeEngine:
    """Raises PublishError for a type that not every database has (none of the six that marts may use)."""
    if column.type.startswith("DECIMAL("):
        precision, scale = (int(number) for number in column.type[8:-1].split(","))
        return sa.Numeric(precision, scale).with_variant(sa.Double(), "sqlite")
    if column.type not in TYPES:
        raise PublishError(f"column {column.name} has type {column.type}, which databases do not share")
    return TYPES[column.type]


def measure_shape(
    connection: duckdb.DuckDBPyConnection, table: Table, key: tuple[str, ...], unfit: dict[str, str]
) -> Shape:
    """Reads the table once. `unfit`: by column, the SQL condition of a value that the database can't hold.

    Raises PublishError for names that are too long.
    """
    if len(table.name.encode()) > LONGEST_TABLE:
        raise PublishError(f"the name has {len(table.name.encode())} bytes, at most {LONGEST_TABLE} fit")
    for column in table.columns:
        if len(column.name.encode()) > LONGEST_COLUMN:
            raise PublishError(f"column {column.name}: the name is longer than {LONGEST_COLUMN} bytes")
    texts = [column.name for column in table.columns if column.name in key and column.type == "VARCHAR"]
    measures = [
        "count(*)",
        *(f"count(*) - count({identifier(name)})" for name in key),
        *(f"coalesce(max(length({identifier(name)})), 0)" for name in texts),
        *(f"count_if({condition})" for condition in unfit.values()),
    ]
    rows, *found = connection.execute(f"select {', '.join(measures)} from {table.relation}").fetchone()
    nulls, found = found[: len(key)], found[len(key) :]
    return Shape(
        table,
        rows,
        key,
        key_has_null=any(nulls),
        longest=dict(zip(texts, found, strict=False)),
        unfit={name: count for name, count in zip(unfit, found[len(texts) :], strict=True) if count},
    )
