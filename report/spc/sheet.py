"""An engineer's file, CSV or XLSX, as columns of text and numbers, with errors that say what to do."""

import codecs
import math
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ingest.formats import delimited, workbook
from ingest.source import Unreadable


class SheetError(ValueError):
    """The file does not hold what was asked for; the message is one line."""


@dataclass(frozen=True)
class Sheet:
    """`columns`: texts by name, None for an empty cell, all of one length."""

    name: str
    columns: dict[str, list[str | None]]

    @classmethod
    def read(cls, file: Path, title: str | None = None, encoding: str = "utf-8") -> "Sheet":
        """`title`: of the workbook's sheet, the first unless told. Raises SheetError."""
        try:
            codecs.lookup(encoding)
            if file.suffix.lower() in (".xlsx", ".xlsm"):
                batches = list(workbook.read(file, layout=workbook.Layout(sheet=title)))
            else:
                with file.open("rb") as stream:
                    batches = list(delimited.read(stream, set(), delimiter=None, encoding=encoding))
        except LookupError:
            raise SheetError(f"{encoding}: no such encoding") from None
        except (Unreadable, OSError) as error:
            said = str(error).replace("encoding: in plant.yml", "--encoding")
            raise SheetError(f"{file.name}: {said}") from None
        rejects = [reject for batch in batches for reject in batch.rejects]
        if rejects:
            raise SheetError(f"{file.name}: record {rejects[0].row}: {rejects[0].reason}")
        table = pa.concat_tables([batch.records for batch in batches])
        columns = {
            name: [text.strip() or None if text else None for text in table[name].cast(pa.string()).to_pylist()]
            for name in table.column_names
        }
        return cls(file.name, columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def column(self, name: str) -> list[str | None]:
        """By name; upper and lower case are the same."""
        found = {known.casefold(): known for known in self.columns}.get(name.strip().casefold())
        if found is None:
            raise SheetError(f"{self.name} has no column {name!r}; it has {self._names(list(self.columns))}")
        return self.columns[found]

    def numbers(self, name: str) -> list[float | None]:
        """A comma is a decimal point where the column has no point."""
        texts = self.column(name)
        with_comma = not any("." in text for text in texts if text)
        numbers: list[float | None] = []
        for row, text in enumerate(texts, start=1):
            try:
                numbers.append(_finite(text.replace(",", ".") if with_comma else text) if text else None)
            except ValueError:
                raise SheetError(f"{self.name}: column {name!r}, record {row}: {text!r} is not a number") from None
        return numbers

    def only_numeric(self, without: list[str]) -> str:
        """The one column of numbers besides `without`."""
        taken = {name.strip().casefold() for name in without}
        numeric = [name for name in self.columns if name.casefold() not in taken and self._is_numeric(name)]
        if len(numeric) != 1:
            found = self._names(numeric) if numeric else "none"
            raise SheetError(f"say which column has the values, with --value; columns of numbers: {found}")
        return numeric[0]

    def _is_numeric(self, name: str) -> bool:
        try:
            return any(number is not None for number in self.numbers(name))
        except SheetError:
            return False

    @staticmethod
    def _names(names: list[str]) -> str:
        return ", ".join(repr(name) for name in names[:20]) + (", ..." if len(names) > 20 else "")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number
