"""What plant.yml gets wrong about records, said before anything is loaded: one line with key, value and the way out."""

import codecs
from collections.abc import Sequence

import duckdb

from ingest.contract import CONTRACTS, RECORD_TABLES
from ingest.mapping import expressions, types_of
from ingest.plant_sql import WrongExpression, sandbox
from ingest.sources.content import tables_of_format
from ingest.sources.files import reading_of
from ingest.sql import literal
from pipeline.plant import FilesSource, Plant, PlantError, RecordSource, TablePart
from pipeline.streams import StreamSource


def check(plant: Plant) -> None:
    """Raises PlantError."""
    for source in plant.sources:
        if isinstance(source, FilesSource):
            _check_files(plant, source)
        elif isinstance(source, RecordSource):
            _check_records(plant, source, source)
        elif isinstance(source, StreamSource):
            check_stream(source)


def check_stream(source: StreamSource) -> None:
    """Raises PlantError."""
    _check_names(f"plant.yml: sources.{source.name}.", source, source, RECORD_TABLES)


def _wrong(source: RecordSource, key: str, expected: str) -> PlantError:
    return PlantError(f"plant.yml: sources.{source.name}.{key}: {getattr(source, key)!r} {expected}")


def _check_files(plant: Plant, source: FilesSource) -> None:
    of_format = tables_of_format(source)
    if source.table is None and not source.tables and not of_format:
        expected = ", ".join(RECORD_TABLES)
        raise PlantError(f"plant.yml: sources.{source.name}.table: missing; expected one of {expected}")
    for part in source.tables or [source]:
        _check_records(plant, source, part, of_format or RECORD_TABLES)
    if source.delimiter is not None and (not source.delimiter.isascii() or source.delimiter in '"\r\n'):
        raise _wrong(source, "delimiter", "can't delimit; expected one plain character such as ; or a tab")
    try:
        codecs.lookup(source.encoding)
    except LookupError:
        raise _wrong(source, "encoding", "is not an encoding; expected a name such as utf-8 or cp1252") from None


def _check_records(
    plant: Plant, source: RecordSource, part: RecordSource | TablePart, tables: Sequence[str] = RECORD_TABLES
) -> None:
    """`part`: what is said of one table, which is one of `tables`; without a table, of them all."""
    at = f"plant.yml: sources.{source.name}." + (f"tables.{part.table}." if part is not source else "")
    _check_names(at, source, part, tables)
    header = getattr(source, "header", None)
    reading = reading_of(plant, source, part)
    try:
        found = expressions(reading)
        if header and found:
            with sandbox() as connection:
                types_of(connection, found, header)
    except WrongExpression as error:
        raise PlantError(f"{at}{error}") from None
    if header and (missing := sorted(set(reading.columns.values()).difference(header))):
        raise PlantError(f"{at}columns: {missing[0]!r} is not among the columns of header: {', '.join(header)}")


def _check_names(
    at: str, source: RecordSource | StreamSource, part: RecordSource | StreamSource | TablePart, tables: Sequence[str]
) -> None:
    """Of table and columns; and the formats of times."""
    if part.table is not None and part.table not in tables:
        what = "a table of records" if tables is RECORD_TABLES else "a table of its format"
        raise PlantError(f"{at}table: {part.table!r} is not {what}; expected one of {', '.join(tables)}")
    wanted = [part.table] if part.table else tables
    if unknown := sorted(set(part.columns).difference(*(CONTRACTS[table].columns for table in wanted))):
        raise PlantError(f"{at}columns: names {unknown[0]!r}, which is not a column of {' or '.join(wanted)}")
    for timestamp_format in source.timestamp_format or []:
        try:
            duckdb.execute(f"select try_strptime('', {literal(timestamp_format)})")
        except duckdb.Error:
            expected = "is not a format such as %d.%m.%Y %H:%M:%S"
            raise PlantError(f"{at}timestamp_format: {timestamp_format!r} {expected}") from None
