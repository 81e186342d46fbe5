"""Copies of filled forms for the people who filled them in, with the cells marked that kept a row from being loaded."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingest.contract import CONTRACTS
from ingest.forms.cells import load
from ingest.forms.empty_rows import trimmed
from ingest.forms.entries import Sheet
from ingest.forms.form import fault_of
from ingest.forms.marks import NO_CELL, SUMMARY, mark
from ingest.lake import PART, rename, write_text_whole
from ingest.source import StillWritten

BLANK_ROWS = 500
"""Empty rows with formats that a copy keeps."""


@dataclass(frozen=True)
class Return:
    """Of one form. `folder` holds the returns of a source, `place` is where its own lies in there.

    `unchanged` raises StillWritten when the form is no longer what was loaded.
    """

    form: Path
    folder: Path
    place: Path
    unchanged: Callable[[], None]

    def answer(self, sheets: list[Sheet], wrong: dict[int, list[str]]) -> None:
        """Returns the form if a row of it is wrong, or it has none; else, and if it is a corrected copy, what was
        returned before is removed. `wrong`: columns that break the contract, by row. Raises StillWritten."""
        _explain(sheets, wrong)
        try:
            self._answer(sheets)
        except OSError as error:
            raise StillWritten(f"what is wrong in it can't be returned: {error}; it is left to the next run") from None

    def _answer(self, sheets: list[Sheet]) -> None:
        total = sum(len(sheet.entries) for sheet in sheets)
        bad = sum(bool(entry.faults) for sheet in sheets for entry in sheet.entries)
        if bad or not total:
            self._write(sheets, _summary(bad, total))
        else:
            self._remove(self.place)
        for other in self._copies({sheet.stamp for sheet in sheets}) - {self.place}:
            self._remove(other)

    def refuse(self, reason: str) -> None:
        """Says why nothing of the form could be read."""
        self._write_reason(f"Nothing of {self.form.name} was loaded: {reason}")

    def _write(self, sheets: list[Sheet], summary: str) -> None:
        target = self.folder / self.place
        part = target.with_name(target.name + PART)
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            content = trimmed(self.form, {sheet.part for sheet in sheets}, kept=BLANK_ROWS)
            book = load(content, keep_vba=target.suffix.lower() == ".xlsm", rich_text=True)
            for sheet in sheets:
                mark(book[sheet.title], sheet, summary, stamp_of(self.place))
            book.active = book.sheetnames.index(sheets[0].title)
            book.save(part)
        except Exception as error:  # there is no end to what a workbook may hold that openpyxl can't copy
            self.unchanged()
            self._write_reason("\n".join([summary, f"The workbook could not be marked ({error}).", *_listed(sheets)]))
            part.unlink(missing_ok=True)
            return
        self.unchanged()
        rename(part, target)
        self._reason(self.place).unlink(missing_ok=True)

    def _write_reason(self, text: str) -> None:
        target = self._reason(self.place)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(target, text + "\n")

    def _copies(self, stamps: set[str | None]) -> set[Path]:
        """The returns that a workbook with these stamps is a copy of."""
        if stamps == {None}:
            return set()
        places = (file.relative_to(self.folder) for file in self.folder.rglob("*") if file.is_file())
        return {place for place in places if stamp_of(place) in stamps}

    def _remove(self, place: Path) -> None:
        (self.folder / place).unlink(missing_ok=True)
        self._reason(place).unlink(missing_ok=True)

    def _reason(self, place: Path) -> Path:
        return self.folder / place.with_name(f"{place.name}.reason.txt")


def stamp_of(place: Path) -> str:
    """What tells a copy of the return at `place`, whatever it is called by now."""
    return hashlib.sha256(place.as_posix().encode()).hexdigest()[:12]


def _explain(sheets: list[Sheet], wrong: dict[int, list[str]]) -> None:
    """Adds to the faults of the reader's those of the contract."""
    entries = ((sheet, entry) for sheet in sheets for entry in sheet.entries)
    for position, (sheet, entry) in enumerate(entries, start=1):
        places = {name: at for at, name in sheet.columns.items()}
        texts = {name: entry.texts.get(places.get(name)) for name in wrong.get(position, ())}
        contract = CONTRACTS[sheet.table]
        for name, text in texts.items():
            if text or name in contract.required or not any(map(texts.get, contract.any_of)):
                entry.faults[places.get(name, NO_CELL)] = fault_of(sheet.table, name, text)


def _summary(bad: int, total: int) -> str:
    if not total:
        return f"{SUMMARY}this form has no rows. Fill them in here; nothing on other sheets is loaded."
    others = " The other rows are loaded, and locked." if bad < total else ""
    return (
        f"{SUMMARY}{bad:,} of {total:,} rows were not loaded. Correct the red cells, save, and put this workbook into "
        f"the inbox again.{others}"
    )


def _listed(sheets: list[Sheet]) -> list[str]:
    return [
        f"{sheet.title}, row {entry.row}: {entry.reason}" for sheet in sheets for entry in sheet.entries if entry.faults
    ]
