"""Small files of the lake into one per table and month, so that reading stays fast after many nights.

Rows keep their `_load_id`. The new file names in its metadata those that it replaces: if a run is killed between
the renaming of the one and the removal of the others, `finish` does the rest before anything is loaded.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.lake import COMPACTED, PART, REPLACES, SCHEMA_FILE, SCHEMAS, Lake, rename, replaced_by
from ingest.load_file import encodings

MOST_FILES = 64
SMALL_BYTES = 16 << 20
GROUP_ROWS = 262_144


def compact(lake: Lake, *, most_files: int = MOST_FILES) -> list[Path]:
    """Compacts the tables with more than `most_files` small files; returns the new files. Needs the run lock."""
    made = []
    for table in SCHEMAS:
        small = [file for file in _files(lake.table(table)) if file.stat().st_size < SMALL_BYTES]
        if len(small) <= most_files:
            continue
        months = defaultdict(list)
        for file in sorted(small, key=_load_id):
            months[_load_id(file)[:6]].append(file)
        made += [_merge(table, month, files) for month, files in months.items() if len(files) > 1]
        _remove_replaced(lake.table(table))
    return made


def finish(lake: Lake) -> None:
    """Removes what a compaction that was killed has replaced but not removed."""
    for table in SCHEMAS:
        _remove_replaced(lake.table(table))


def _remove_replaced(folder: Path) -> None:
    for file in sorted(folder.glob(f"{COMPACTED}*.parquet")):
        if file.exists():
            for name in replaced_by(file):
                (folder / name).unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.glob("*.parquet") if file.name != SCHEMA_FILE)


def _load_id(file: Path) -> str:
    return file.stem.removeprefix(COMPACTED)


def _merge(table: str, month: str, files: list[Path]) -> Path:
    schema = SCHEMAS[table].with_metadata({REPLACES: json.dumps([file.name for file in files]).encode()})
    target = files[0].parent / f"{COMPACTED}{_load_id(files[-1])}.parquet"
    part = target.with_name(target.name + PART)
    with pq.ParquetWriter(part, schema, **encodings(schema)) as writer:
        for group in _groups(files, SCHEMAS[table]):
            writer.write_table(group.replace_schema_metadata(schema.metadata))
    rename(part, target)
    return target


def _groups(files: list[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    """The files' rows in order, in groups of GROUP_ROWS or a little more; columns that a file lacks are NULL."""
    held: list[pa.Table] = []
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(batch_size=GROUP_ROWS):
                held.append(_with_schema(pa.table(batch), schema))
                if sum(map(len, held)) >= GROUP_ROWS:
                    yield pa.concat_tables(held)
                    held = []
    if held:
        yield pa.concat_tables(held)


def _with_schema(records: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        records[field.name].cast(field.type)
        if field.name in records.column_names
        else pa.nulls(len(records), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
