"""Files of a folder, found by a glob; each is an object."""

import codecs
import glob
import gzip
import hashlib
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import duckdb

from ingest.contract import CONTRACTS, RECORD_TABLES
from ingest.formats import delimited, equipment, json_text, parquet, workbook
from ingest.forms import form
from ingest.source import Batch, Object, Reading, StillWritten, Unreadable
from ingest.sql import literal
from pipeline.paths import Paths
from pipeline.plant import FilesSource, Plant, PlantError, RecordSource

FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".stdf": "stdf",
    ".std": "stdf",
}
UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")
HIDDEN = (".", "~$")
BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


def pattern(plant: Plant, source: FilesSource) -> str:
    """The source's glob, absolute; what the plant's own folder is called is no pattern."""
    return os.path.join(glob.escape(str(plant.folder)), source.path)


def find(plant: Plant, source: FilesSource, paths: Paths) -> Iterator[Object]:
    """The source's files in the order of their names."""
    readings = [(one, reading_of(plant, one)) for one in by_table(source)]
    for file, name in matches(plant, source):
        for one, reading in readings:
            yield file_object(file, name, one, reading, paths)


def matches(plant: Plant, source: FilesSource) -> Iterator[tuple[Path, str]]:
    """Each file that the source means, and its name as an object."""
    if (plant.folder / source.path).is_dir():
        raise _wrong(source, "path", "is a folder; say which files in it, such as inbox/*.csv")
    for found in sorted(glob.glob(pattern(plant, source), recursive=True)):
        file = Path(found)
        if file.is_file() and is_meant(file.name):
            yield file, found if os.path.isabs(source.path) else Path(os.path.relpath(file, plant.folder)).as_posix()


def reading_of(plant: Plant, source: RecordSource) -> Reading:
    return Reading(
        timezone=source.timezone or plant.plant.timezone,
        columns=source.columns,
        repeated_hour=source.repeated_hour,
        timestamp_format=source.timestamp_format,
    )


def is_meant(name: str) -> bool:
    """Whether a file of this name is finished and not hidden."""
    return not name.startswith(HIDDEN) and not name.lower().endswith(UNFINISHED)


def by_table(source: FilesSource) -> list[FilesSource]:
    """The source for each of its tables: the one of plant.yml, else all that its format knows."""
    tables = [source.table] if source.table else _tables_of_format(source)
    columns = source.columns.items()
    return [
        source.model_copy(
            update={"table": table, "columns": {c: n for c, n in columns if c in CONTRACTS[table].columns}}
        )
        for table in tables
    ]


def _tables_of_format(source: FilesSource) -> Sequence[str]:
    """Those of a format that knows them; else empty."""
    kind = format_of(source, Path(source.path))
    if kind == "form":
        return form.TABLES
    return equipment.FORMATS[kind].tables if kind in equipment.FORMATS else ()


def format_of(source: FilesSource, file: Path) -> str | None:
    """Of a file, or of those that a path with wildcards is for."""
    name = file.name.lower().rstrip("*").removesuffix(".gz")
    return source.format or FORMATS.get(Path(name).suffix)


def file_object(file: Path, name: str, source: FilesSource, reading: Reading, paths: Paths, **options) -> Object:
    version = file_version(file)
    return Object(
        source=source.name,
        table=source.table,
        name=name,
        version=version,
        digest=partial(_digest, file),
        batches=partial(_batches, file, version, source, reading, paths),
        reading=reading,
        set_aside=partial(set_aside, file, paths),
        **options,
    )


def file_version(file: Path) -> str:
    stat = file.stat()
    return f"{stat.st_size} bytes, {stat.st_mtime_ns} ns"


def _wrong(source: RecordSource, key: str, expected: str) -> PlantError:
    return PlantError(f"plant.yml: sources.{source.name}.{key}: {getattr(source, key)!r} {expected}")


def check_records(source: RecordSource, tables: Sequence[str] = RECORD_TABLES) -> None:
    """Raises PlantError for what plant.yml gets wrong about a source's records, which are of one of `tables`."""
    if source.table is not None and source.table not in tables:
        what = "a table of records" if tables is RECORD_TABLES else "a table of its format"
        raise _wrong(source, "table", f"is not {what}; expected one of {', '.join(tables)}")
    wanted = [source.table] if source.table else tables
    if unknown := sorted(set(source.columns).difference(*(CONTRACTS[table].columns for table in wanted))):
        raise _wrong(source, "columns", f"names {unknown[0]!r}, which is not a column of {' or '.join(wanted)}")
    if source.timestamp_format is not None:
        try:
            duckdb.execute(f"select try_strptime('', {literal(source.timestamp_format)})")
        except duckdb.Error:
            raise _wrong(source, "timestamp_format", "is not a format such as %d.%m.%Y %H:%M:%S") from None


def check(source: FilesSource) -> None:
    """Raises PlantError for what plant.yml gets wrong about a source."""
    tables = _tables_of_format(source)
    if source.table is None and not tables:
        expected = ", ".join(RECORD_TABLES)
        raise PlantError(f"plant.yml: sources.{source.name}.table: missing; expected one of {expected}")
    check_records(source, tables or RECORD_TABLES)
    if source.delimiter is not None and (not source.delimiter.isascii() or source.delimiter in '"\r\n'):
        raise _wrong(source, "delimiter", "can't delimit; expected one plain character such as ; or a tab")
    try:
        codecs.lookup(source.encoding)
    except LookupError:
        raise _wrong(source, "encoding", "is not an encoding; expected a name such as utf-8 or cp1252") from None


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        raise StillWritten("it vanished before it was read") from None
    except OSError as error:
        raise Unreadable(f"can't be opened: {error.strerror}") from None


def _batches(file: Path, version: str, source: FilesSource, reading: Reading, paths: Paths) -> Iterator[Batch]:
    """The file's batches; raises StillWritten, whatever else was found, when the file changed meanwhile."""
    try:
        yield from _read(file, source, reading, paths)
    except (Unreadable, OSError) as error:
        check_unchanged(file, version)
        raise error if isinstance(error, Unreadable) else Unreadable(f"can't be read: {error}") from None
    check_unchanged(file, version)


def check_unchanged(file: Path, version: str) -> None:
    """Raises StillWritten when the file is not of this version any more."""
    if not file.exists() or file_version(file) != version:
        raise StillWritten("it changed while it was read, and is left to the next run")


def _read(file: Path, source: FilesSource, reading: Reading, paths: Paths) -> Iterator[Batch]:
    zipped = file.suffix.lower() == ".gz"
    kind = format_of(source, file)
    known = {name.replace("_", "").casefold() for name in [*CONTRACTS[source.table].columns, *reading.columns.values()]}
    readers: dict[str, Callable] = {
        "csv": partial(delimited.read, known=known, delimiter=source.delimiter, encoding=source.encoding),
        "tsv": partial(delimited.read, known=known, delimiter=source.delimiter or "\t", encoding=source.encoding),
        "json": partial(json_text.read_document, encoding=source.encoding),
        "ndjson": partial(json_text.read_lines, encoding=source.encoding),
        "parquet": parquet.read,
        "xlsx": partial(workbook.read, sheet=source.sheet),
    }
    for name in equipment.FORMATS:
        readers[name] = partial(
            equipment.read, kind=name, table=source.table, columns=reading.columns, encoding=source.encoding
        )
    if kind is None:
        raise Unreadable("its name says nothing of its format; say which it is with format: in plant.yml")
    try:
        if kind in ("parquet", "xlsx"):
            with _unzipped(file, zipped, paths) as plain:
                yield from readers[kind](plain)
        else:
            with gzip.open(file) if zipped else file.open("rb") as stream:
                yield from readers[kind](stream)
    except BROKEN_GZIP as error:
        raise Unreadable(f"broken gzip: {error}") from None


@contextmanager
def _unzipped(file: Path, zipped: bool, paths: Paths) -> Iterator[Path]:
    """The file, or what is in it, at a name of its own for formats that are read from both ends."""
    if not zipped:
        yield file
        return
    plain = paths.temp / f"{os.getpid()}-{file.stem}"
    try:
        with gzip.open(file) as packed, plain.open("wb") as target:
            shutil.copyfileobj(packed, target)
        yield plain
    finally:
        plain.unlink(missing_ok=True)


def set_aside(file: Path, paths: Paths, load_id: str, reason: str) -> None:
    """A second name for the file, or a copy where that is not possible, and the reason beside it."""
    paths.failed.mkdir(parents=True, exist_ok=True)
    kept = paths.failed / f"{load_id}-{file.name}"
    try:
        os.link(file, kept)
    except OSError:
        with suppress(OSError):  # may not be read at all: then the reason says so
            shutil.copyfile(file, kept)
    kept.with_name(f"{kept.name}.reason.txt").write_text(reason + "\n", encoding="utf-8")
