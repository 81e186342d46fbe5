"""The check between writing and publishing: what was written, read back from its files, is what the warehouse holds.

Per table: its columns with types and comments; then, per week, the number of rows and for each column

- the number of values that are not NULL,
- integers and decimals: the sum, exactly,
- floating point: the sums of its positive and of its negative values, within 1e-9 relative (apart, so that nothing
  cancels), and a checksum of those that are NaN or infinite,
- everything else: a checksum, the sum of DuckDB's hashes of the values.

The week is load_week, else the ISO week of production_date; a table with neither is compared as a whole. The same holds
for the Parquet files, read back as the warehouse's types.
"""

import math
import struct
from pathlib import Path

import duckdb

from publish.quoting import identifier, literal
from publish.tables import Column, Table
from publish.versions import PublishError

RELATIVE = 1e-9
FLOATS = ("FLOAT", "DOUBLE")
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")

STORAGE_VERSION = "v1.0.0"
FILE_VERSION, SERIALIZATION_VERSION = 64, 2
"""What a file of that storage version says of itself; older serialization versions are as good."""


def audit(
    connection: duckdb.DuckDBPyConnection, tables: list[Table], published: list[Table], parquet: Path
) -> dict[str, int]:
    """Compares `tables` (the warehouse's) with `published` (of the attached new file) and the files under `parquet`.

    Gives the number of rows of each table. Raises PublishError that names table, week, column and both values.
    """
    if [table.name for table in tables] != [table.name for table in published]:
        raise PublishError(f"tables are {_names(published)} in marts.duckdb, {_names(tables)} in the warehouse")
    rows = {}
    for table, copy in zip(tables, published, strict=True):
        if table.comment != copy.comment:
            raise PublishError(f"{table.name}: comment is {copy.comment!r} in marts.duckdb, expected {table.comment!r}")
        if len(table.columns) != len(copy.columns):
            counts = f"{len(table.columns)} columns in the warehouse, {len(copy.columns)} in marts.duckdb"
            raise PublishError(f"{table.name}: {counts}")
        for column, other in zip(table.columns, copy.columns, strict=True):
            if column != other:
                raise PublishError(f"{table.name}: column is {other} in marts.duckdb, {column} in the warehouse")
        expected = measure(connection, table, table.relation)
        compare(table, expected, measure(connection, table, copy.relation), "marts.duckdb")
        partitions = "hive_partitioning = true, hive_types = {load_week: varchar}" if table.is_partitioned else ""
        files = f"read_parquet({literal(parquet / table.parquet)}, {partitions or 'hive_partitioning = false'})"
        compare(table, expected, measure(connection, table, files), "Parquet")
        rows[table.name] = sum(values[0] for values in expected.values())
    return rows


def measure(connection: duckdb.DuckDBPyConnection, table: Table, relation: str) -> dict[str, tuple]:
    """Per week, the values of `measures(table)`; `relation` has the table's columns, in types that cast to its own."""
    expressions = ", ".join(expression for _, _, expression in measures(table))
    columns = ", ".join(
        f"cast({identifier(column.name)} as {column.type}) as {identifier(column.name)}" for column in table.columns
    )
    found = connection.execute(
        f"with typed as (select {columns} from {relation}) select {_week(table)}, {expressions} from typed group by 1"
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
    if "load_week" in names:
        return "cast(load_week as varchar)"
    if "production_date" in names:
        return "strftime(production_date, '%G-W%V')"
    return "'all'"


def compare(table: Table, expected: dict[str, tuple], found: dict[str, tuple], where: str) -> None:
    """Raises PublishError for the first difference of two results of `measure`."""
    nothing = (0,) + (None,) * (len(measures(table)) - 1)
    for week in sorted(expected.keys() | found.keys(), key=str):
        pairs = zip(measures(table), expected.get(week, nothing), found.get(week, nothing), strict=True)
        for (column, what, _), ours, theirs in pairs:
            if not _equal(ours, theirs):
                place = f"table {table.name}, week {week}" + (f", column {column}" if column else "")
                raise PublishError(f"{place}: {what} is {theirs} in {where}, {ours} in the warehouse")


def _equal(ours: object, theirs: object) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours == theirs or math.isclose(ours, theirs, rel_tol=RELATIVE)
    return ours == theirs


def check_storage(file: Path) -> None:
    """Raises PublishError unless `file` is a DuckDB file that DuckDB 1.0 can open.

    Read from the file's own headers, since duckdb_databases() says v1.0.0+ of files of v1.1.0, too, which 1.0 refuses:
    the main header holds its version at byte 12; of the two database headers, at bytes 4096 and 8192, the one with the
    higher iteration (second field) counts, and its eighth field is the serialization version. All are 8 bytes, little
    endian (DuckDB, src/storage/single_file_block_manager.cpp). Opens the file: call it while DuckDB has not.
    """
    with file.open("rb") as stream:
        head = stream.read(12288)
    if len(head) < 12288 or head[8:12] != b"DUCK":
        raise PublishError(f"{file.name} is not a DuckDB file")
    (version,) = struct.unpack_from("<Q", head, 12)
    active = max((struct.unpack_from("<8Q", head, offset) for offset in (4096, 8192)), key=lambda header: header[1])
    if version != FILE_VERSION or active[7] > SERIALIZATION_VERSION:
        raise PublishError(
            f"{file.name} has storage version {version}.{active[7]}, DuckDB 1.0 reads {FILE_VERSION} up to "
            f"{FILE_VERSION}.{SERIALIZATION_VERSION}"
        )


def _names(tables: list[Table]) -> str:
    return ", ".join(table.name for table in tables) or "none"
