"""In which formats a column's texts are times: strptime formats as plant.yml takes them, never a guess.

`01/02/24` is a day and a month in either order until a value over 12 says which; all orders are told where none does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import duckdb

from ingest.sql import literal
from ingest.timestamps import OFFSET, TIME

ISO, ZONED = re.compile(TIME), re.compile(TIME + OFFSET)
NO_DAY = r"(?:1900-01-0[01]|1899-12-3[01])"
CLOCK_ALONE = re.compile(rf"(?:{NO_DAY}[T ])?\d{{1,2}}:\d\d(?::\d\d(?:\.\d{{1,6}})?)?")
"""A time of day, also with the day that spreadsheets and databases write for none."""

ENOUGH = 0.9
MOST_SHAPES = 4
MONTH = r"[^\W\d_]{3,9}"
DATES = {
    r"\d{4}(?P<a>[-/.])\d{1,2}(?P=a)\d{1,2}": ("%Y{a}%m{a}%d",),
    r"\d{1,2}\.\d{1,2}\.\d{4}": ("%d.%m.%Y",),  # with dots, nobody writes the month first
    r"\d{1,2}\.\d{1,2}\.\d{2}": ("%d.%m.%y", "%y.%m.%d"),
    r"\d{1,2}(?P<a>[-/])\d{1,2}(?P=a)\d{4}": ("%d{a}%m{a}%Y", "%m{a}%d{a}%Y"),
    r"\d{1,2}(?P<a>[-/])\d{1,2}(?P=a)\d{2}": ("%d{a}%m{a}%y", "%m{a}%d{a}%y", "%y{a}%m{a}%d"),
    rf"\d{{1,2}}(?P<a>\.? |[-/.])(?:{MONTH})(?P<b>[-/ .])\d{{4}}": ("%d{a}%b{b}%Y", "%d{a}%B{b}%Y"),
    rf"\d{{1,2}}(?P<a>\.? |[-/.])(?:{MONTH})(?P<b>[-/ .])\d{{2}}": ("%d{a}%b{b}%y", "%d{a}%B{b}%y"),
    rf"(?:{MONTH}) \d{{1,2}}(?P<a>,? )\d{{4}}": ("%b %d{a}%Y", "%B %d{a}%Y"),
    r"\d{4}年\d{1,2}月\d{1,2}日": ("%Y年%m月%d日",),
    r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])": ("%Y%m%d",),
}
CLOCKS = {
    r"\d{1,2}:\d\d": "%H:%M",
    r"\d{1,2}:\d\d:\d\d": "%H:%M:%S",
    r"\d{1,2}:\d\d:\d\d(?P<f>[.,;:])\d{1,6}": "%H:%M:%S{f}%f",
    r"[0-2]\d[0-5]\d[0-5]\d": "%H%M%S",
    r"[0-2]\d[0-5]\d": "%H%M",
}
REST = re.compile(
    r"(?:(?P<gap>, |[T_ -]|)(?P<clock>\d{1,2}:\d\d(?::\d\d(?:[.,;:]\d{1,6})?)?|[0-2]\d[0-5]\d(?:[0-5]\d)?)"
    r"(?P<half> ?[AaPp][Mm])?(?P<zone> ?(?:[+-]\d\d(?::?\d\d)?|UTC|GMT))?)?"
)


@dataclass(frozen=True)
class Times:
    """How a column's texts are times. `share` of them, 0 to 1, are.

    `iso`: as the loader reads them untold. `formats`: strptime; of ISO times only where they say all of them.
    `others`: other lists of formats that fit as well, of which one must be chosen. `zoned`: with offsets. `days`:
    without a time of day.
    """

    share: float = 0.0
    iso: bool = False
    formats: tuple[str, ...] = ()
    others: tuple[tuple[str, ...], ...] = ()
    zoned: bool = False
    days: bool = False


def times_of(texts: Sequence[str]) -> Times:
    """Of distinct texts, none of them empty."""
    shapes: dict[tuple[str, ...], list[str]] = {}
    for text in texts:
        if formats := _formats_of(text):
            shapes.setdefault(formats, []).append(text)
    fitting = {shape: _fitting(shape, found) for shape, found in shapes.items()}
    shapes = {shape: found for shape, found in shapes.items() if fitting[shape]}
    by_frequency = sorted(shapes, key=lambda shape: len(shapes[shape]), reverse=True)[:MOST_SHAPES]
    choices = list(product(*(fitting[shape] for shape in by_frequency)))
    choices = [it for it in choices if len(set(map(_order, it)) - {""}) < 2] or choices
    first, *others = [tuple(dict.fromkeys(choice)) for choice in choices] or [()]
    zoned = sum(bool(ZONED.fullmatch(text)) for text in texts)
    if texts and (zoned + sum(bool(ISO.fullmatch(text)) for text in texts)) == len(texts):
        whole = first if sum(map(len, shapes.values())) == len(texts) else ()
        return Times(1.0, iso=True, formats=whole, zoned=zoned == len(texts))
    return Times(
        share=sum(map(len, shapes.values())) / max(len(texts), 1),
        formats=first,
        others=tuple(others),
        zoned=bool(first) and all(it.lower().endswith("%z") for it in first),
        days=bool(first) and not any("%H" in it or "%I" in it for it in first),
    )


def is_clock(texts: Sequence[str]) -> bool:
    """Whether all are times of day."""
    return all(CLOCK_ALONE.fullmatch(text) for text in texts)


def has_shape(text: str) -> bool:
    """Whether a text looks like a time or a day."""
    return bool(_formats_of(text) or ISO.fullmatch(text) or ZONED.fullmatch(text))


def _order(format_: str) -> str:
    """What comes first where day and month are plain numbers and the year may be anywhere."""
    return "" if format_.startswith("%Y") or "%b" in format_.lower() else format_[:2]


def _formats_of(text: str) -> tuple[str, ...]:
    """Every strptime format that a text has the shape of."""
    for pattern, formats in DATES.items():
        if (date := re.match(pattern, text)) and (rest := REST.fullmatch(text, date.end())):
            return tuple(format_.format(**date.groupdict()) + _rest(rest) for format_ in formats)
    return ()


def _rest(found: re.Match) -> str:
    """The format of what follows the date."""
    if not found["clock"]:
        return ""
    clock, match = next((it, m) for p, it in CLOCKS.items() if (m := re.fullmatch(p, found["clock"])))
    half, zone = found["half"] or "", found["zone"] or ""
    clock = clock.format(**match.groupdict()).replace("%H", "%I" if half else "%H")
    half = half[: -len("am")] + "%p" if half else ""
    blank = zone[: len(zone) - len(zone.lstrip())]
    zone = blank + ("%Z" if zone.strip().isalpha() else "%z") if zone else ""
    return found["gap"] + clock + half + zone


def _fitting(formats: tuple[str, ...], texts: list[str]) -> list[str]:
    """Those by which most texts are times; a wrong time here and there does not rule out the right format."""
    parsed = ", ".join(f"count(try_strptime(c, {literal(format_)}))" for format_ in formats)
    counts = duckdb.execute(f"select {parsed} from unnest(?) t(c)", [texts]).fetchone()
    most = max(counts)
    return [it for it, count in zip(formats, counts, strict=True) if count == most >= ENOUGH * len(texts)]
