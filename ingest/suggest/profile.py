"""A received column: its values, and in which of several ways they can be read."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

from ingest.expressions import DATE, NUMBER
from ingest.suggest.names import vocabulary
from ingest.suggest.times import Times, is_clock, times_of

PLAIN = re.compile(NUMBER.strip("'"))
ISO_DATE = re.compile(DATE.strip("'"))
COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+|[+-]?\d{1,3}(?:\.\d{3}){2,}")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
DOTTED = re.compile(r"[+-]?\d{1,3}\.\d{3}")
EPOCHS = {10: "s", 13: "ms", 16: "us"}
"""Digits of the seconds, milliseconds and microseconds since 1970 of the years 2001 to 2286."""
MOST_DISTINCT = 2000
ENOUGH = 0.9
"""Share of values that must be of a kind; the others are the file's faults, and will be rejected."""


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

    @property
    def is_dotted(self) -> bool:
        """Whether every dot may separate thousands: 1.234."""
        dotted = [text for text in self.distinct if "." in text]
        return bool(dotted) and all(DOTTED.fullmatch(text) for text in dotted)

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
