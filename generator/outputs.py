"""Writes simulated records as files, week by week. The same records give the same bytes, in DuckDB the same rows.

Each output is written beside its place and renamed over it when complete.
"""

import os
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

Weeks = Iterable[dict[str, pa.Table]]
Schemas = dict[str, pa.Schema]
SHEET_ROWS = 1_048_576
"""Excel's limit, header included; further rows go to further sheets."""
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_parquet(folder: Path, schemas: Schemas, weeks: Weeks, timezone: str) -> list[Path]:
    """`<table>.parquet`; timestamps are instants (UTC)."""
    return _write_tables(
        folder, weeks, ending="parquet", schemas=schemas, writer=pq.ParquetWriter, converted=lambda table: table
    )


def write_csv(folder: Path, schemas: Schemas, weeks: Weeks, timezone: str) -> list[Path]:
    """`<table>.csv`; timestamps are ISO 8601 in local time with their offset, NULL is empty."""
    return _write_tables(
        folder,
        weeks,
        ending="csv",
        schemas={name: _with_texts(schema) for name, schema in schemas.items()},
        writer=pyarrow.csv.CSVWriter,
        converted=lambda table: _with_local_texts(table, timezone),
    )


def write_xlsx(folder: Path, schemas: Schemas, weeks: Weeks, timezone: str) -> list[Path]:
    """`<table>.xlsx`; timestamps as in CSV, since Excel knows neither offsets nor microseconds; all texts stay text."""
    workbooks = {name: Workbook(write_only=True) for name in schemas}
    sheets = {name: None for name in schemas}
    rows = dict.fromkeys(schemas, SHEET_ROWS)
    for week in weeks:
        for name, table in week.items():
            for record in zip(*_with_local_texts(table, timezone).to_pydict().values(), strict=True):
                if rows[name] >= SHEET_ROWS:
                    sheets[name] = _add_sheet(workbooks[name], name, schemas[name].names)
                    rows[name] = 1
                sheets[name].append([_cell(sheets[name], value) for value in record])
                rows[name] += 1
    paths = []
    for name, workbook in workbooks.items():
        if not workbook.worksheets:
            _add_sheet(workbook, name, schemas[name].names)
        with _replaced(folder / f"{name}.xlsx") as partial:
            workbook.save(partial)
            _fix_times(partial)
        paths.append(folder / f"{name}.xlsx")
    return paths


def write_duckdb(folder: Path, schemas: Schemas, weeks: Weeks, timezone: str) -> list[Path]:
    """`records.duckdb` with a table per kind of record; timestamps are `timestamp with time zone`."""
    path = folder / "records.duckdb"
    with _replaced(path) as partial, duckdb.connect(partial, config={"storage_compatibility_version": "v1.0.0"}) as to:
        for name, schema in schemas.items():
            _copy(to, f'create table "{name}" as select * from week', schema.empty_table())
        for week in weeks:
            for name, table in week.items():
                _copy(to, f'insert into "{name}" select * from week', table)
    return [path]


WRITERS: dict[str, Callable[[Path, Schemas, Weeks, str], list[Path]]] = {
    "parquet": write_parquet,
    "csv": write_csv,
    "xlsx": write_xlsx,
    "duckdb": write_duckdb,
}


def _write_tables(
    folder: Path,
    weeks: Weeks,
    *,
    ending: str,
    schemas: dict[str, pa.Schema],
    writer: Callable,
    converted: Callable[[pa.Table], pa.Table],
) -> list[Path]:
    paths = {name: folder / f"{name}.{ending}" for name in schemas}
    with _replaced_all(list(paths.values())) as partials:
        writers = {name: writer(partial, schemas[name]) for name, partial in zip(schemas, partials, strict=True)}
        try:
            for week in weeks:
                for name, table in week.items():
                    writers[name].write_table(converted(table))
        finally:
            for each in writers.values():
                each.close()
    return list(paths.values())


def _copy(connection: duckdb.DuckDBPyConnection, statement: str, week: pa.Table) -> None:
    connection.register("week", week)
    connection.execute(statement)
    connection.unregister("week")


def _with_texts(schema: pa.Schema) -> pa.Schema:
    return pa.schema([(f.name, pa.string() if pa.types.is_timestamp(f.type) else f.type) for f in schema])


def _with_local_texts(table: pa.Table, timezone: str) -> pa.Table:
    """Timestamps as text such as 2024-01-01T07:01:19.258215+08:00."""
    schema = _with_texts(table.schema)
    columns = [
        _local_text(column, timezone) if pa.types.is_timestamp(column.type) else column for column in table.columns
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _local_text(instants: pa.ChunkedArray, timezone: str) -> pa.ChunkedArray:
    local = pc.local_timestamp(instants.cast(pa.timestamp("us", tz=str(ZoneInfo(timezone)))))
    text = pc.binary_replace_slice(local.cast(pa.string()), 10, 11, "T")
    seconds = pc.divide(pc.subtract(local.cast(pa.int64()), instants.cast(pa.int64())), 1_000_000)
    offsets = pc.unique(seconds)
    names = pa.array([_offset(offset) for offset in offsets.to_pylist()], pa.string())
    return pc.binary_join_element_wise(text, names.take(pc.index_in(seconds, offsets)), "")


def _offset(seconds: int) -> str:
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def _add_sheet(workbook: Workbook, name: str, columns: list[str]):
    number = len(workbook.worksheets) + 1
    sheet = workbook.create_sheet(name if number == 1 else f"{name}_{number}")
    sheet.freeze_panes = "A2"
    sheet.append(columns)
    return sheet


def _cell(sheet, value: object) -> object:
    """openpyxl makes a formula of a text that begins with `=` and refuses control characters."""
    if not isinstance(value, str):
        return value
    value = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value)
    if not value.startswith("="):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell


def _fix_times(workbook: Path) -> None:
    """Takes the times of writing out of a workbook, which would make every file another."""
    fixed = workbook.with_name(f"{workbook.name}.fixed")
    with zipfile.ZipFile(workbook) as source, zipfile.ZipFile(fixed, "w") as target:
        for member in source.infolist():
            entry = zipfile.ZipInfo(member.filename, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if member.filename == "docProps/core.xml":
                times = rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*"
                target.writestr(entry, re.sub(times, rb"\g<1>1980-01-01T00:00:00Z", source.read(member)))
                continue
            with source.open(member) as content, target.open(entry, "w", force_zip64=True) as copy:
                while block := content.read(1 << 20):
                    copy.write(block)
    os.replace(fixed, workbook)


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    with _replaced_all([path]) as (partial,):
        yield partial


@contextmanager
def _replaced_all(paths: list[Path]) -> Iterator[list[Path]]:
    """Places to write to; what is there takes the places of `paths` if all went well and is removed if not."""
    partials = [path.with_name(f".{path.name}.partial") for path in paths]
    for partial in partials:
        partial.unlink(missing_ok=True)
    try:
        yield partials
        for partial, path in zip(partials, paths, strict=True):
            os.replace(partial, path)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)
