"""What a received column's values are, and how well they fit a column of the contract."""

import ast
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache, cached_property

from ingest.contract import VOCABULARIES, Column
from ingest.expressions import DATE, FALSE, NUMBER, TRUE
from ingest.spellings import Spellings
from ingest.suggest.names import folded, vocabulary
from ingest.suggest.times import Times, is_clock, times_of

PLAIN = re.compile(NUMBER.strip("'"))
ISO_DATE = re.compile(DATE.strip("'"))
COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+|[+-]?\d{1,3}(?:\.\d{3}){2,}")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
LASTING = re.compile(r"\d{1,4}:[0-5]\d:[0-5]\d(?:\.\d+)?")
EPOCHS = {10: "s", 13: "ms", 16: "us"}
"""Digits of the seconds, milliseconds and microseconds since 1970 of the years 2001 to 2286."""
MOST_DISTINCT = 2000
ENOUGH = 0.9
"""Share of values that must be of a kind; the others are the file's faults, and will be rejected."""
NEVER = 0.0
ENOUGH_RECORDS = 20
"""Records from which it says something that a column always holds the same."""
FEW = 12
"""Distinct values of a vocabulary, at most."""
BOOLEAN = {text: value for value, texts in (("true", TRUE), ("false", FALSE)) for text in ast.literal_eval(texts)}


@dataclass(frozen=True)
class Profile:
    """A received column: its place from 0, name and values. A value is trimmed text, None where there is none."""

    place: int
    name: str
    values: list[str | None]
    parts: tuple["Profile", ...] = ()
    """The day and the time of day that it is made of."""
    left_out: tuple[str, ...] = ()
    """Texts in it that stand for no value, and are none in `values`."""

    @cached_property
    def blanks(self) -> list[str]:
        """What is written for no value, such as N/A."""
        words = vocabulary()["nothing"]
        return sorted({value for value in self.values if value and value.casefold() in words})

    @cached_property
    def told(self) -> "Profile":
        """The same, with no value where there is one of `blanks`: of a column that is not text."""
        if not self.blanks:
            return self
        values = [None if value in self.blanks else value for value in self.values]
        return replace(self, values=values, left_out=tuple(self.blanks))

    @cached_property
    def counts(self) -> Counter:
        return Counter(value for value in self.values if value)

    @cached_property
    def distinct(self) -> list[str]:
        """Most frequent first."""
        return [value for value, _ in self.counts.most_common(MOST_DISTINCT)]

    @property
    def filled(self) -> int:
        return self.counts.total()

    @property
    def is_whole(self) -> bool:
        """Whether every record has a value."""
        return self.filled == len(self.values)

    @cached_property
    def times(self) -> Times:
        return times_of(self.distinct)

    @cached_property
    def is_clock(self) -> bool:
        return bool(self.distinct) and is_clock(self.distinct)

    @cached_property
    def epoch(self) -> str | None:
        """s, ms or us where all values are whole numbers that may be times since 1970."""
        lengths = {len(value) for value in self.distinct if value.isdecimal() and value.isascii()}
        whole = all(value.isdecimal() for value in self.distinct)
        return EPOCHS.get(lengths.pop()) if whole and len(lengths) == 1 and "1" <= self.distinct[0][0] <= "3" else None

    @cached_property
    def decimal(self) -> str | None:
        """How numbers are written: `.`, `,`, `thousands` (1,234.5), `unclear` (1,234); None where they are none."""
        styles = {"plain": PLAIN, "comma": COMMA, "thousands": THOUSANDS}
        share = {style: self.share(lambda text, it=it: bool(it.fullmatch(text))) for style, it in styles.items()}
        if share["plain"] >= ENOUGH and not any("," in text for text in self.distinct):
            return "."
        comma = self.share(lambda text: bool(COMMA.fullmatch(text) or re.fullmatch(r"[+-]?\d+(\.\d{3})?", text)))
        thousands = self.share(lambda text: bool(THOUSANDS.fullmatch(text) or PLAIN.fullmatch(text)))
        if max(comma, thousands) < ENOUGH:
            return "." if share["plain"] >= ENOUGH else None
        if comma == thousands:
            return "unclear"
        return "," if comma > thousands else "thousands"

    @cached_property
    def is_days(self) -> bool:
        return self.times.days and self.times.share >= ENOUGH

    @property
    def is_iso_date(self) -> bool:
        """Whether the loader knows the dates untold."""
        return bool(self.distinct) and self.share(lambda text: bool(ISO_DATE.fullmatch(text))) >= ENOUGH

    def share(self, holds) -> float:
        """Of the values, counted as often as they occur, 0 to 1."""
        distinct = self.distinct
        total = sum(self.counts[text] for text in distinct)
        return sum(self.counts[text] for text in distinct if holds(text)) / total if total else 0.0

    def number(self, text: str) -> float | None:
        """Of one value, as the column is written."""
        plain = text.replace(".", "").replace(",", ".") if self.decimal == "," else text.replace(",", "")
        return float(plain) if PLAIN.fullmatch(plain) else None


def joined(day: Profile, clock: Profile, place: int) -> Profile:
    """A day's column and a time of day's, as one of times."""
    pairs = zip(day.values, clock.values, strict=True)
    values = [f"{a} {b[11:] if len(b) > 12 else b}" if a and b else None for a, b in pairs]
    return Profile(place, f"{day.name} + {clock.name}", values, (day, clock))


def fit(profile: Profile, name: str, column: Column) -> tuple[float, str]:
    """How well values fit the contract's column `name`, 0 to 1, and what they are in a few words."""
    received = profile if column.type == "string" and not column.values else profile.told
    if not received.filled:
        return (NEVER if column.required else 0.6), "empty"
    if column.values:
        return _as_vocabulary(received, meanings(received, name, column), VOCABULARIES[column.values].unknown)
    return {
        "timestamp": _as_time,
        "date": _as_date,
        "boolean": _as_boolean,
        "double": _as_number,
        "bigint": _as_number,
        "string": _as_text,
    }[column.type](received, name, column)


def meanings(profile: Profile, name: str, column: Column) -> dict[str, str | None]:
    """What each distinct value means in the column's vocabulary, or as a boolean; None where nothing says it."""
    key, known = (column.values or "boolean"), _words_of_values(column.values or "boolean")
    if column.values:
        spelled, values = _spellings().values, VOCABULARIES[key].values
        found = {text: spelled.get((name, text.casefold()), text.casefold()) for text in profile.distinct}
        found = {text: value if value in values else None for text, value in found.items()}
    else:
        found = {text: BOOLEAN.get(text.casefold()) for text in profile.distinct}
    return {text: value or known.get(folded(text)) for text, value in found.items()}


def is_untold(name: str, column: Column, text: str) -> bool:
    """Whether the loader needs a value map to know what `text` means."""
    if column.values:
        value = _spellings().values.get((name, text.casefold()), text.casefold())
        return value not in VOCABULARIES[column.values].values
    return text.casefold() not in BOOLEAN


@cache
def _spellings() -> Spellings:
    return Spellings()


@cache
def _words_of_values(key: str) -> dict[str, str]:
    entries = vocabulary()["values"].get(key, {})
    return {folded(text): value for value, texts in entries.items() for text in texts}


def _as_vocabulary(profile: Profile, known: dict[str, str | None], unknown: str) -> tuple[float, str]:
    share = profile.share(lambda text: known[text] is not None)
    shown = ", ".join(profile.distinct[:4])
    if share >= ENOUGH:
        return 1.0, f"values {shown}"
    if len(profile.distinct) <= FEW and (share or unknown == "keep"):
        return 0.6 + 0.4 * share, f"values {shown}, not all known"
    return (0.3 if len(profile.distinct) <= FEW else NEVER), f"values {shown}, none known"


def _as_time(profile: Profile, *_) -> tuple[float, str]:
    if profile.times.share >= ENOUGH:
        return (0.9 if profile.times.days else 1.0), "days" if profile.times.days else "times"
    return (0.9, f"time since 1970 in {profile.epoch}") if profile.epoch else (NEVER, "no times")


def _as_date(profile: Profile, *_) -> tuple[float, str]:
    if profile.is_iso_date:
        return 1.0, "dates"
    if profile.times.share >= ENOUGH:
        return (1.0, "dates") if profile.times.days else (0.6, "times")
    return NEVER, "no dates"


def _as_boolean(profile: Profile, name: str, column: Column) -> tuple[float, str]:
    known = meanings(profile, name, column)
    share = profile.share(lambda text: known[text] is not None)
    shown = ", ".join(profile.distinct[:4])
    return (1.0, f"values {shown}") if share >= ENOUGH else (NEVER, f"values {shown}")


def _as_number(profile: Profile, name: str, column: Column) -> tuple[float, str]:
    if profile.decimal is None:
        lasting = column.type == "double" and profile.share(lambda text: bool(LASTING.fullmatch(text))) >= ENOUGH
        return (0.9, "hours:minutes:seconds") if lasting else (NEVER, "no numbers")
    numbers = [number for text in profile.distinct if (number := profile.number(text)) is not None]
    if column.type == "bigint" and any(number % 1 for number in numbers):
        return 0.2, "numbers that are not whole"
    out = [it for it in numbers if (column.min is not None and it < column.min) or (column.max or it) < it]
    return (0.3, "numbers out of range") if len(out) > len(numbers) / 10 else (1.0, "numbers")


def _as_text(profile: Profile, name: str, column: Column) -> tuple[float, str]:
    if profile.times.share >= ENOUGH and not profile.epoch and any(not it.isdecimal() for it in profile.distinct):
        return 0.1, "times"
    if any("." in text or "," in text for text in profile.distinct) and profile.decimal:
        return 0.4, "numbers with decimals"
    if len(profile.distinct) > 1 or profile.filled < ENOUGH_RECORDS:
        return 1.0, "text"
    only = profile.distinct[0]
    return (0.4 if only.isdecimal() and column.required else 0.9), f"always {only}"
