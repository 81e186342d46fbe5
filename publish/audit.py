"""The check between writing and publishing: what was written, read back from its files, is what the warehouse holds.

Per table: its columns with types and comments; then, per week, what publish/measures.py says. The same holds for the
Parquet files, read back as the warehouse's types. Of weeks that were taken from an earlier version, and were checked
when that was published, the rows are counted; each is measured every thirtieth day all the same.
"""

import math
import struct
from datetime import date
from pathlib import Path

import duckdb

from publish.measures import count_rows, measure, measures
from publish.quoting import among, literal
from publish.tables import Table
from publish.versions import PublishError
from publish.weeks import Kept, Week, Weeks

RELATIVE = 1e-9
DAYS = 30
"""Each week is measured on every so many'th day, if there is a publication on it."""

STORAGE_VERSION = "v1.0.0"
FILE_VERSION, SERIALIZATION_VERSION = 64, 2
"""What a file of that storage version says of itself; older serialization versions are as good."""


def trust(unchanged: Kept, weeks: Weeks, day: date) -> Kept:
    """`unchanged` without the weeks that are to be measured on `day`: each has its turn every thirtieth day.

    A week's turn depends on its Monday alone, so that it is not passed over when weeks come or go.
    """
    return {
        name: frozenset(label for label in labels if not _has_turn(weeks[name][label].start, day))
        for name, labels in unchanged.items()
    }


def _has_turn(monday: date, day: date) -> bool:
    return (monday.toordinal() // 7 + day.toordinal()) % DAYS == 0


def audit(
    connection: duckdb.DuckDBPyConnection,
    tables: list[Table],
    published: list[Table],
    parquet: Path,
    *,
    weeks: Weeks,
    trusted: Kept,
) -> dict[str, int]:
    """Compares `tables` (the warehouse's) with `published` (of the attached new file) and the files under `parquet`.

    `weeks` are those of the warehouse; of those in `trusted` only the number of rows is compared. Gives the number of
    rows of each table. Raises PublishError that names table, week, column and both values.
    """
    if [table.name for table in tables] != [table.name for table in published]:
        raise PublishError(f"tables are {_names(published)} in marts.duckdb, {_names(tables)} in the warehouse")
    rows = {}
    for table, copy in zip(tables, published, strict=True):
        _compare_descriptions(table, copy)
        taken = trusted.get(table.name, frozenset())
        by_start, by_label = _written(table, taken, weeks.get(table.name, {}))
        copies = (("marts.duckdb", copy.relation, by_start), ("Parquet", _in_parquet(table, parquet), by_label))
        expected = measure(connection, table, table.relation, by_start)
        for place, relation, where in copies:
            compare(table, expected, measure(connection, table, relation, where), place)
        if taken:
            expected = {label: (week.rows,) for label, week in weeks[table.name].items()}
            for place, relation, _ in copies:
                compare(table, expected, count_rows(connection, table, relation), place)
        rows[table.name] = sum(values[0] for values in expected.values())
    return rows


def _compare_descriptions(table: Table, copy: Table) -> None:
    if table.comment != copy.comment:
        raise PublishError(f"{table.name}: comment is {copy.comment!r} in marts.duckdb, expected {table.comment!r}")
    if len(table.columns) != len(copy.columns):
        counts = f"{len(table.columns)} columns in the warehouse, {len(copy.columns)} in marts.duckdb"
        raise PublishError(f"{table.name}: {counts}")
    for column, other in zip(table.columns, copy.columns, strict=True):
        if column != other:
            raise PublishError(f"{table.name}: column is {other} in marts.duckdb, {column} in the warehouse")


def _in_parquet(table: Table, folder: Path) -> str:
    partitions = ""
    if table.is_partitioned:
        kind = next(column.type for column in table.columns if column.name == table.detail.label)
        partitions = f"hive_partitioning = true, hive_types = {{{table.detail.label}: {kind}}}"
    return f"read_parquet({literal(folder / table.parquet)}, {partitions or 'hive_partitioning = false'})"


def _written(table: Table, taken: frozenset[str], weeks: dict[str | None, Week]) -> tuple[str, str]:
    """Conditions on the rows of all weeks but those `taken`: by their first days, by which DuckDB leaves out what it
    need not read, and by the labels of Parquet's folders."""
    if not taken:
        return "true", "true"
    written = {label: week.start for label, week in weeks.items() if label not in taken}
    return among(table.detail.start, written.values()), among(table.detail.label, written)


def compare(table: Table, expected: dict, found: dict, where: str) -> None:
    """Raises PublishError for the first difference of two results of `measure`."""
    names = measures(table)
    nothing = (0,) + (None,) * (len(names) - 1)
    for week in sorted(expected.keys() | found.keys(), key=str):
        pairs = zip(names, expected.get(week, nothing), found.get(week, nothing), strict=False)  # or only the rows
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
