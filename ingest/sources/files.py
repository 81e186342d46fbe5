"""Files of a folder, found by a glob; each is an object, and so is each member of a ZIP archive."""

import glob
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from fsspec.utils import glob_translate

from ingest.contract import CONTRACTS
from ingest.source import Object, Reading, Unreadable
from ingest.sources import archive
from ingest.sources.content import Content, file_version, tables_of_format
from pipeline.paths import Paths
from pipeline.plant import FilesSource, Plant, PlantError, RecordSource, TablePart
from pipeline.streams import StreamSource

UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")
HIDDEN = (".", "~$")
WHENCE = {"name", "kind", "path", "endpoint", "tables", "url", "relation", "query", "high_water", "overlap"}
"""Keys of a source that say where objects are, not how they are read."""


def pattern(plant: Plant, source: FilesSource) -> str:
    """The source's glob of files, absolute; what the plant's own folder is called is no pattern."""
    return os.path.join(glob.escape(str(plant.folder)), archive.split(source.path)[0])


def find(plant: Plant, source: FilesSource, paths: Paths) -> Iterator[Object]:
    """The source's files, and the members of its archives, in the order of their names."""
    members = archive.split(source.path)[1]
    tables = [(one, reading_of(plant, one)) for one in by_table(source)]
    for file, name in matches(plant, source):
        for inner, content in contents(file, name, members):
            for one, reading in tables:
                yield content_object(content, inner, one, reading, paths)


def matches(plant: Plant, source: FilesSource) -> Iterator[tuple[Path, str]]:
    """Each file that the source means, and its name as an object."""
    if (plant.folder / source.path).is_dir():
        expected = "is a folder; say which files in it, such as inbox/*.csv"
        raise PlantError(f"plant.yml: sources.{source.name}.path: {source.path!r} {expected}")
    for found in sorted(glob.glob(pattern(plant, source), recursive=True)):
        file = Path(found)
        if file.is_file() and is_meant(file.name):
            yield file, found if os.path.isabs(source.path) else Path(os.path.relpath(file, plant.folder)).as_posix()


def contents(file: Path, name: str, members: str | None) -> list[tuple[str, Content]]:
    """Names and contents: of the file, or of those of its members that the glob means, if it is an archive.

    One that can't be opened, or is empty, stands for itself: reading it says why.
    """
    whole = Content(file, file_version(file))
    if not archive.is_archive(name):
        return [(name, whole)]
    try:
        found = archive.members(file)
    except Unreadable:
        found = []
    meant = re.compile(glob_translate(members)).match if members else bool
    return [
        (f"{name}/{archive.name_of(member)}", replace(whole, member=member))
        for member in found
        if meant(archive.name_of(member)) and is_meant(archive.base_of(member))
    ] or ([] if found else [(name, whole)])


def reading_of(plant: Plant, source: RecordSource, part: RecordSource | TablePart | None = None) -> Reading:
    """`part`: what plant.yml says of one of several tables."""
    part = part or source
    said = source.model_dump_json(exclude=WHENCE), part.model_dump_json(exclude=WHENCE), plant.plant.timezone
    return replace(
        times_of(plant, source),
        columns={name: origin.received for name, origin in part.columns.items() if origin.received is not None},
        derived={name: origin for name, origin in part.columns.items() if not origin.renames},
        where=getattr(part, "where", None),
        decimal_comma=getattr(source, "decimal", None) is not None,
        key=hashlib.sha256("\n".join(said).encode()).hexdigest()[:16],
    )


def times_of(plant: Plant, source: RecordSource | StreamSource) -> Reading:
    """How the source's times are to be read, and nothing else."""
    return Reading(
        timezone=source.timezone or plant.plant.timezone,
        repeated_hour=source.repeated_hour,
        timestamp_formats=tuple(source.timestamp_format or ()),
    )


def is_meant(name: str) -> bool:
    """Whether a file of this name is finished and not hidden."""
    return not name.startswith(HIDDEN) and not name.lower().endswith(UNFINISHED)


def by_table(source: FilesSource) -> list[FilesSource]:
    """The source for each of its tables: those of plant.yml, else all that its format knows."""
    if source.tables:
        said = ("table", "columns", "where")
        parts = [{key: getattr(part, key) for key in said} for part in source.tables]
        return [source.model_copy(update=part | {"tables": []}) for part in parts]
    tables = [source.table] if source.table else tables_of_format(source)
    columns = source.columns.items()
    return [
        source.model_copy(
            update={"table": table, "columns": {c: n for c, n in columns if c in CONTRACTS[table].columns}}
        )
        for table in tables
    ]


def file_object(file: Path, name: str, source: FilesSource, reading: Reading, paths: Paths, **options) -> Object:
    return content_object(Content(file, file_version(file)), name, source, reading, paths, **options)


def content_object(
    content: Content, name: str, source: FilesSource, reading: Reading, paths: Paths, **options
) -> Object:
    return Object(
        source=source.name,
        table=source.table,
        name=name,
        version=archive.version_of(content.member) if content.member else content.version,
        digest=content.digest,
        batches=partial(content.batches, source, reading, paths),
        reading=reading,
        set_aside=partial(set_aside, content.file, paths),
        **options,
    )


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
