"""The reference CSVs that the simulator reads: which columns, of which type and range.

Every complaint is a `GeneratorError` of one line that names file, row, column, value and what was expected.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path


class GeneratorError(ValueError):
    """A plant that can't be simulated; the message is one line for the person who wrote its CSVs."""


@dataclass(frozen=True)
class Text:
    """A name; never empty, unless `default` stands for an empty one."""

    default: str | None = None

    def parse(self, text: str) -> str:
        if not text and self.default is None:
            raise ValueError("expected a text")
        return text or self.default


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high` (both allowed, `low` not if `above_low`); `default` stands for an empty one."""

    low: float = 0.0
    high: float = 1e9
    whole: bool = False
    above_low: bool = False
    default: float | None = None

    def parse(self, text: str) -> float:
        if not text and self.default is not None:
            return self.default
        try:
            value = math.nan if "_" in text else float(text)
        except ValueError:
            value = math.nan
        allowed = self.low <= value <= self.high and not (self.above_low and value == self.low)
        if not allowed or (self.whole and value != int(value)):
            lower = f"above {self.low:g}" if self.above_low else f"from {self.low:g}"
            raise ValueError(f"expected a {'whole ' if self.whole else ''}number {lower} to {self.high:g}")
        return value


@dataclass(frozen=True)
class Word:
    """One of `words`, in any case."""

    words: tuple[str, ...]
    default: str | None = None

    def parse(self, text: str) -> str:
        word = (text or self.default or "").lower()
        if word not in self.words:
            raise ValueError(f"expected one of {', '.join(self.words)}")
        return word


@dataclass(frozen=True)
class Day:
    """A date; an empty one is None. `default`: the column may be absent."""

    default: str = ""

    def parse(self, text: str) -> date | None:
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise ValueError("expected a date such as 2024-03-05") from None


Kind = Text | Number | Word | Day
TEXT = Text()
ANY_TEXT = Text(default="")
SHARE = Number(high=1e6)
PROBABILITY = Number(high=1)
SECONDS = Number(high=1e7)
DURATION = Number(high=1e6, above_low=True)
ANY_NUMBER = Number(low=-1e9, default=math.nan)

MOST_ROWS = 30_000
FILES: dict[str, dict[str, Kind]] = {
    "products": {
        "product_name": TEXT,
        "serial_prefix": TEXT,
        "weekly_start_qty": Number(high=1e7),
        "weekly_start_sd": PROBABILITY,
    },
    "tests": {"test_name": TEXT},
    "routes": {
        "product_name": TEXT,
        "test_name": TEXT,
        "sequence": Number(low=-1e9, whole=True),
        "max_attempts": Number(low=1, high=100, whole=True, default=3),
        "pass_probability": PROBABILITY,
        "retest_pass_factor": PROBABILITY,
        "pass_duration_s": DURATION,
        "fail_duration_s": DURATION,
        "duration_sd": PROBABILITY,
        "wait_s": SECONDS,
    },
    "machines": {"machine_id": TEXT, "line_id": ANY_TEXT},
    "machine_tests": {"machine_id": TEXT, "test_name": TEXT, "share": SHARE},
    "error_codes": {"test_name": TEXT, "error_code": TEXT, "share": SHARE},
    "components": {"component": TEXT, "share": SHARE},
    "simulation": {"parameter": TEXT, "value": Number(low=-1e9)},
    "sensors": {
        "sensor_id": TEXT,
        "machine_id": ANY_TEXT,
        "quantity": ANY_TEXT,
        "upper_limit": ANY_NUMBER,
        "period_s": Number(low=0.001, high=86_400, default=60),
        "base_value": ANY_NUMBER,
        "noise_sd": Number(default=0),
        "daily_amplitude": Number(default=0),
        "load_effect": Number(low=-1e9, default=0),
        "component_type": ANY_TEXT,
        "component_manufacturer": ANY_TEXT,
        "lane_number": ANY_TEXT,
    },
    "faults": {
        "kind": TEXT,
        "per_month": Number(high=1000),
        "size": Number(high=1e6),
        "duration_h": Number(high=24 * 14, above_low=True),
    },
}


def read_rows(
    folder: Path, name: str, columns: Mapping[str, Kind] | None = None, *, is_optional: bool = False
) -> list[dict]:
    """The rows of `<folder>/<name>.csv` with `columns` (default: those of FILES), parsed; further ones are left out.

    Headers match whatever their case and underscores, as in the loader. An absent column is an error unless its
    type has a default; so is an absent file, or one without rows, unless `is_optional`.
    """
    file = Path(folder) / f"{name}.csv"
    columns = columns or FILES[name]
    table = _cells(file) if file.exists() or not is_optional else []
    if is_optional and not table:
        return []
    header = [_plain(cell) for cell in table[0]] if table else []
    positions = {}
    for column, kind in columns.items():
        if _plain(column) in header:
            positions[column] = header.index(_plain(column))
        elif getattr(kind, "default", None) is None:
            raise GeneratorError(f"{file}: column {column} is missing; the simulator needs it")
    rows = []
    for line, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        row = {}
        for column, kind in columns.items():
            position = positions.get(column)
            text = cells[position].strip() if position is not None and position < len(cells) else ""
            try:
                row[column] = kind.parse(text)
            except ValueError as error:
                raise GeneratorError(f"{file}: row {line}: {column}: {text!r}: {error}") from None
        rows.append(row)
    if len(rows) > MOST_ROWS:
        raise GeneratorError(f"{file}: {len(rows)} rows; the simulator takes at most {MOST_ROWS}")
    if not rows and not is_optional:
        raise GeneratorError(f"{file}: has no rows; the simulator needs at least one")
    return rows


def _cells(file: Path) -> list[list[str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.reader(lines, strict=True))
    except FileNotFoundError:
        raise GeneratorError(f"{file}: not found; the simulator needs it") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GeneratorError(f"{file}: not readable as CSV in UTF-8: {error}") from None


def _plain(name: str) -> str:
    return name.strip().replace("_", "").lower()
