"""Operators' forms in a folder: each is an object of the table that it says it is for, and is answered."""

import glob
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

from ingest.forms import entries
from ingest.forms.returned import Return
from ingest.lake import Lake
from ingest.source import Batch, Object, Unreadable
from ingest.sources import files
from ingest.sources.content import Content, file_version
from pipeline.paths import Paths
from pipeline.plant import FilesSource, Plant


def find(plant: Plant, source: FilesSource, paths: Paths, lake: Lake) -> Iterator[Object]:
    """The source's forms in the order of their names; those that are loaded already are not even opened.

    A row that a form of the source brought before, the same in every cell, is left out: a copy that comes back
    corrected still has the rows that were right.
    """
    readings = {one.table: (one, files.reading_of(plant, one)) for one in files.by_table(source)}
    held = {(it.object, it.version): it.table_name for it in lake.loads if it.source == source.name and it.sha256}
    for file, name in files.matches(plant, source):
        version = file_version(file)
        known = held.get((name, version))
        thing = files.file_object(file, name, *readings[known or entries.table_of(file)], paths)
        yield thing if known else _Filled(file, version, thing, paths, _place(plant, source, file)).object(lake)


def _place(plant: Plant, source: FilesSource, file: Path) -> Path:
    """Where the file lies below what the source's path names without wildcards."""
    fixed = takewhile(lambda part: not glob.has_magic(part), Path(source.path).parts[:-1])
    return Path(*(part for part in file.relative_to(plant.folder.joinpath(*fixed)).parts if part != ".."))


class _Filled:
    """A form that is new: read once, then loaded, then answered."""

    def __init__(self, file: Path, version: str, thing: Object, paths: Paths, place: Path):
        self.file, self.thing = file, thing
        self.unchanged = Content(file, version).check_unchanged
        self.returned = Return(file, paths.returned / thing.source, place, self.unchanged)
        self.sheets: list[entries.Sheet] = []

    def object(self, lake: Lake) -> Object:
        own = (self.thing.source, self.thing.table, "loaded")
        known_in = (it.load_id for it in lake.loads if (it.source, it.table_name, it.status) == own)
        return replace(
            self.thing,
            batches=self._batches,
            known_in=frozenset(known_in),
            answer=lambda wrong: self.returned.answer(self.sheets, wrong),
            set_aside=self._refuse,
        )

    def _batches(self) -> Iterator[Batch]:
        try:
            self.sheets = entries.read_form(self.file)
        except Unreadable:
            self.unchanged()
            raise
        self.unchanged()
        yield from entries.batches(self.sheets)

    def _refuse(self, load_id: str, reason: str) -> None:
        self.thing.set_aside(load_id, reason)
        self.returned.refuse(reason)
