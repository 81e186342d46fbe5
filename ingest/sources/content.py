"""What is in a file, or in a member of a ZIP archive: its digest, and its batches by its format."""

import gzip
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ingest.contract import CONTRACTS, plain
from ingest.formats import delimited, equipment, json_text, parquet, workbook
from ingest.forms import form
from ingest.mapping import mentioned
from ingest.source import Batch, Reading, StillWritten, Unreadable
from ingest.sources import archive
from pipeline.paths import Paths
from pipeline.plant import FilesSource

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
FROM_BOTH_ENDS = ("parquet", "xlsx")
"""Formats that are read from a file of their own, not from a stream."""
TEXT, SHEETS = ("csv", "tsv"), ("xlsx",)
ONLY_FOR = {
    "header": TEXT + SHEETS,
    "skip_rows": TEXT + SHEETS,
    "delimiter": TEXT,
    "decimal": TEXT,
    "sheet": SHEETS,
    "fill_merged": SHEETS,
}
"""Keys of plant.yml, and the formats that they are for."""
BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


def format_of(source: FilesSource, name: str) -> str | None:
    """Of a file, or of those that a path with wildcards is for."""
    plain = name.lower().rstrip("*").removesuffix(".gz")
    return source.format or FORMATS.get(Path(plain).suffix)


def tables_of_format(source: FilesSource) -> tuple[str, ...]:
    """Those of a format that knows them; else empty."""
    kind = format_of(source, source.path)
    if kind == "form":
        return form.TABLES
    return equipment.FORMATS[kind].tables if kind in equipment.FORMATS else ()


@dataclass(frozen=True)
class Content:
    """A file, or a member of an archive."""

    file: Path
    version: str
    """Of the file."""
    member: zipfile.ZipInfo | None = None

    @property
    def name(self) -> str:
        return archive.base_of(self.member) if self.member else self.file.name

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        with archive.opened(self.file, self.member) if self.member else self.file.open("rb") as stream:
            yield stream

    def digest(self) -> str:
        """Raises StillWritten and Unreadable."""
        try:
            with self.opened() as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            raise StillWritten("it vanished before it was read") from None
        except Unreadable:
            self.check_unchanged()
            raise
        except OSError as error:
            raise Unreadable(f"can't be opened: {error.strerror or error}") from None

    def batches(self, source: FilesSource, reading: Reading, paths: Paths) -> Iterator[Batch]:
        """Raises StillWritten, whatever else was found, when the file changed meanwhile."""
        try:
            yield from _read(self, source, reading, paths)
        except (Unreadable, OSError) as error:
            self.check_unchanged()
            raise error if isinstance(error, Unreadable) else Unreadable(f"can't be read: {error}") from None
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raises StillWritten when the file is not of this version any more."""
        if not self.file.exists() or file_version(self.file) != self.version:
            raise StillWritten("it changed while it was read, and is left to the next run")


def file_version(file: Path) -> str:
    stat = file.stat()
    return f"{stat.st_size} bytes, {stat.st_mtime_ns} ns"


def _read(content: Content, source: FilesSource, reading: Reading, paths: Paths) -> Iterator[Batch]:
    if archive.is_archive(content.name):
        raise Unreadable("an archive in an archive is not read" if content.member else _why_no_members(content.file))
    kind = format_of(source, content.name)
    if kind is None:
        raise Unreadable("its name says nothing of its format; say which it is with format: in plant.yml")
    _check_keys(kind, source, reading)
    reader = _reader(kind, source, reading)
    zipped = content.name.lower().endswith(".gz")
    try:
        if kind in FROM_BOTH_ENDS:
            with _unpacked(content, kind, zipped, paths) as plain:
                yield from reader(plain)
        else:
            with _streamed(content, zipped) as stream:
                yield from reader(stream)
    except BROKEN_GZIP as error:
        raise Unreadable(f"broken gzip: {error}") from None


def _why_no_members(file: Path) -> str:
    archive.members(file)
    return "the archive has no files"


def _reader(kind: str, source: FilesSource, reading: Reading) -> Callable[..., Iterator[Batch]]:
    named = mentioned(reading)
    if kind in TEXT:
        known = {plain(name) for name in [*CONTRACTS[source.table].columns, *named]}
        delimiter = source.delimiter or ("\t" if kind == "tsv" else None)
        shape = {"names": source.header, "skip": source.skip_rows}
        return partial(delimited.read, known=known, delimiter=delimiter, encoding=source.encoding, **shape)
    if kind == "xlsx":
        cells = sorted({origin.cell for origin in reading.derived.values() if origin.cell})
        layout = workbook.Layout(source.sheet, source.header, source.skip_rows, source.fill_merged, cells)
        return partial(workbook.read, layout=layout)
    if kind in equipment.FORMATS:
        told = {"table": source.table, "columns": reading.columns, "mentioned": named}
        return partial(equipment.read, kind=kind, encoding=source.encoding, **told)
    if kind == "parquet":
        return parquet.read
    return partial(json_text.read_document if kind == "json" else json_text.read_lines, encoding=source.encoding)


def _check_keys(kind: str, source: FilesSource, reading: Reading) -> None:
    """A key that is not for this format would be without effect."""
    for key, kinds in ONLY_FOR.items():
        if getattr(source, key) and kind not in kinds:
            raise Unreadable(f"{key}: in plant.yml is for {' and '.join(kinds)}, not for {kind}")
    for name, origin in reading.derived.items():
        if (origin.cell or origin.sheet) and kind not in SHEETS:
            what = "cell" if origin.cell else "sheet"
            raise Unreadable(f"columns.{name} in plant.yml names a {what}: {kind} has none")


@contextmanager
def _streamed(content: Content, zipped: bool) -> Iterator[BinaryIO]:
    with content.opened() as packed, gzip.open(packed) if zipped else nullcontext(packed) as stream:
        yield stream


@contextmanager
def _unpacked(content: Content, kind: str, zipped: bool, paths: Paths) -> Iterator[Path]:
    """The file, or what is in it, at a name of its own for formats that are read from both ends."""
    if not zipped and not content.member:
        yield content.file
        return
    plain = paths.temp / f"{os.getpid()}-unpacked.{kind}"
    try:
        with _streamed(content, zipped) as stream, plain.open("wb") as target:
            shutil.copyfileobj(stream, target)
        yield plain
    finally:
        plain.unlink(missing_ok=True)
