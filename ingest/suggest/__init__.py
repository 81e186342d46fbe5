"""From an unknown file to an entry for plant.yml: `suggest` looks at its head, says what it is, and tries that."""

import glob
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ingest.contract import CONTRACTS, RECORD_TABLES, REFERENCE
from ingest.source import Unreadable
from ingest.suggest.entry import Entry, entry_of, entry_of_equipment
from ingest.suggest.head import Place, head_of, place_of
from ingest.suggest.matching import TableFit, broken_promises, fits
from ingest.suggest.sample import Sample, sample_of
from ingest.suggest.trial import Trial, tried
from pipeline.plant import Plant

GOOD_ENOUGH = 0.5
"""Score of a table, and share of its required columns, from which there is an entry."""
MOSTLY_TOLD = 0.75
"""Score of a reference table from which more of the file is explained by it than not."""
DATED = re.compile(r"\d(?:[\d_.: -]*\d){3,}")
"""What tells files of one kind apart: dates and counters."""


@dataclass(frozen=True)
class Suggestion:
    entry: Entry
    sample: Sample
    fit: TableFit | None
    """None for a format of test equipment."""
    trial: Trial
    looked_at: str
    """How much of the file."""

    @property
    def undecided(self) -> list[str]:
        """What a person must choose before all records can load."""
        entry = self.entry
        open_keys = {*entry.open, *entry.missing, "timestamp_format"}
        asked = [line for line in (*entry.lines, *entry.columns) if line.comment.startswith("choose:")]
        return list(dict.fromkeys(line.key for line in asked if line.chosen or line.key in open_keys))

    @property
    def extra(self) -> list[str]:
        """Received columns that go to `_extra`."""
        return self.entry.extra

    @property
    def text(self) -> str:
        """The entry, as an item of the list under `sources:` of plant.yml."""
        return self.entry.text


def suggest(file: Path, *, plant: Plant | None = None, table: str | None = None) -> Suggestion:
    """Raises Unreadable, with one line of why, where there is no entry to suggest. Writes to no lasting place."""
    with tempfile.TemporaryDirectory(prefix="firstpass-suggest-") as folder:
        place = place_of(file)
        head = head_of(place, Path(folder) / "head")
        sample = sample_of(head)
        name = _name(place, plant)
        zone = f"the plant's, {plant.plant.timezone}" if plant else "the plant's"
        if not sample.columns:
            fit, entry = None, entry_of_equipment(name, _path(place, plant), sample)
        else:
            fit, *rivals = _fitting(sample, f"{head.file.parent.name}/{head.file.name}", table)
            entry = entry_of(name, _path(place, plant), sample, fit=fit, rivals=rivals, zone=zone)
        if place.others:
            entry.notes.append(f"further files in the archive: {', '.join(place.others[:5])}")
        trial = tried(entry.decided, head.file, plant.plant.timezone if plant else "UTC", Path(folder))
        return Suggestion(entry, sample, fit, trial, _looked_at(place, sample))


def _looked_at(place: Place, sample: Sample) -> str:
    size = f"{place.file.stat().st_size / 2**20:.1f} MB"
    if sample.head.whole:
        return f"all of {size}"
    part = f"{sample.head.read / 2**20:.1f} MB" if sample.head.text else f"{sample.count:,} records"
    return f"the first {part} of {size}"


def _fitting(sample: Sample, path: str, table: str | None) -> list[TableFit]:
    """The table that fits best and those that come next; raises Unreadable where none does."""
    if broken := broken_promises(sample.columns) if sample.named and not table else []:
        shown = ", ".join(f"{it.name!r} holds {it.distinct[0][:40]!r}, no {kind}" for it, kind in broken[:3])
        raise Unreadable(f"its header does not fit its records, and may be another table's: {shown}")
    found = fits(sample.columns, path, named=sample.named, tables=[table] if table else RECORD_TABLES)
    best = found[0]
    if table:
        return found
    _refuse_reference(sample, path, best)
    if not sample.named and (best.found < 1 or found[1].score == best.score):
        raise Unreadable("it has no header, and its values could be several tables': say which it is with --table")
    if sample.named and min(best.found, best.score) < GOOD_ENOUGH:
        have = ", ".join(name for name in CONTRACTS[best.table].required if name in best.matches) or "none"
        lacks = ", ".join(name for name in CONTRACTS[best.table].required if name not in best.matches)
        raise Unreadable(
            f"no table of the data contract fits it; the nearest is {best.table}: it has {have}, and lacks {lacks}; "
            "say which it is with --table"
        )
    return found


def _refuse_reference(sample: Sample, path: str, best: TableFit) -> None:
    tables = [table for table in CONTRACTS if table.startswith(REFERENCE) and table != "ref_plant"]
    found = fits(sample.columns, path, named=sample.named, tables=tables)[0]
    if found.found == 1 and found.score > max(best.score, MOSTLY_TOLD):
        name = found.table.removeprefix(REFERENCE)
        renamed = [f"{match.received.name} to {column}" for column, match in found.matches.items()]
        way = f"put it beside plant.yml as {name}.csv, with its columns renamed: {', '.join(renamed)}"
        raise Unreadable(f"it is reference data: {way}")


def _name(place: Place, plant: Plant | None) -> str:
    """Of the source: the file's, without what tells it from the next one."""
    stem = DATED.sub("", place.name.split(".")[0])
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_").lower() or "records"
    taken = {source.name for source in plant.sources} if plant else set()
    numbers = (f"{name}-{number}" for number in range(2, len(taken) + 2))
    return name if name not in taken else next(it for it in numbers if it not in taken)


def _path(place: Place, plant: Plant | None) -> str:
    """The file's, relative to the plant where it lies in it, with * for what tells it from the next one."""
    whole = place.file.absolute()
    if plant and whole.is_relative_to(plant.folder):
        folder = whole.parent.relative_to(plant.folder).as_posix()
    else:
        folder = str(whole.parent)
    path = os.path.normpath(os.path.join(glob.escape(folder), _undated(whole.name)))
    return f"{path}/{_undated(place.member.filename)}" if place.member else path


def _undated(name: str) -> str:
    return DATED.sub("*", glob.escape(name))
