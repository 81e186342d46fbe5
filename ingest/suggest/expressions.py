"""What plant.yml must say of one column for the loader to take it: a name, a map of values, or an expression."""

import re
from dataclasses import dataclass, field
from functools import cache

import duckdb

from ingest.contract import VOCABULARIES, Column
from ingest.sql import identifier, literal
from ingest.suggest.by_name import is_same
from ingest.suggest.names import unit_of, unit_of_column
from ingest.suggest.profile import Profile
from ingest.suggest.times import Times
from ingest.suggest.values import is_untold, meanings

SINCE_1970 = {"s": 1, "ms": 1_000, "us": 1_000_000}


@dataclass(frozen=True)
class Form:
    """How the source as a whole writes times and numbers. `others`: time formats that fit as well as `formats`.

    `has_key`: plant.yml has a key for its decimal sign, which it has for files of text alone.
    """

    formats: tuple[str, ...] = ()
    others: tuple[tuple[str, ...], ...] = ()
    decimal: str = "."
    has_key: bool = True


@dataclass(frozen=True)
class Origin:
    """`written` is the value under `columns:` in plant.yml, None where the loader finds the column untold."""

    written: str | dict | None
    remarks: list[str] = field(default_factory=list)


def form_of(received: dict[str, Profile], columns: dict[str, Column], *, has_key: bool) -> Form:
    """Of contract column: received column. The formats of all times that agree with each other, and the decimal sign.

    Times whose format is plain come first, so that they decide the order of day and month for the others.
    """
    typed = [(columns[name].type, it.told) for name, it in received.items()]
    times = [it.times for kind, it in typed if kind == "timestamp" and not (it.epoch and not it.times.share)]
    times += [it.times for kind, it in typed if kind == "date" and not it.is_iso_date]
    formats, others = (), ()
    if not all(it.iso for it in times):
        for it in sorted(times, key=lambda it: (bool(it.others), it.iso)):
            agreeing = [option for option in _options(it) if _agree(formats, option)]
            others = others if formats else tuple(agreeing[1:])
            formats = tuple(dict.fromkeys((*formats, *(agreeing[0] if agreeing else ()))))
    numbers = [it for kind, it in typed if kind in ("double", "bigint")]
    dots = any("." in text for it in numbers if it.decimal == "." and not it.is_dotted for text in it.distinct)
    return Form(
        _most_exact(formats),
        tuple(map(_most_exact, others)),
        "," if any(it.decimal == "," for it in numbers) and not dots else ".",
        has_key,
    )


def _options(times: Times) -> list[tuple[str, ...]]:
    return [times.formats, *times.others]


def _agree(formats: tuple[str, ...], more: tuple[str, ...]) -> bool:
    """Whether no text is one time by `formats` and another by `more`: days and months are in the same order."""
    return len({it[:2] for it in (*formats, *more) if not it.startswith("%Y") and "%b" not in it.lower()}) < 2


def origin_of(name: str, column: Column, received: Profile, form: Form) -> Origin:
    if column.type == "string" and not column.values:
        return Origin(None if is_same(received.name, name) else received.name)
    if column.values or column.type == "boolean":
        found = _mapped(name, column, received.told)
    elif column.type in ("timestamp", "date"):
        found = _timed(name, column, received.told, form)
    else:
        found = _number(name, column, received.told, form)
    if not received.blanks or isinstance(found.written, dict) and "sql" in found.written:
        return found
    origin = found.written if isinstance(found.written, dict) else {"from": received.name}
    return Origin(origin | {"values": origin.get("values", {}) | dict.fromkeys(received.blanks)}, found.remarks)


def _name(name: str) -> str:
    """A column's name in SQL, in quotes only where it needs them."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.casefold() not in _keywords()
    return name if plain else identifier(name)


@cache
def _keywords() -> frozenset[str]:
    found = duckdb.execute("select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'")
    return frozenset(name for (name,) in found.fetchall())


def _text(received: Profile) -> str:
    """SQL of a received column's text."""
    sql = _name(received.name)
    for blank in received.left_out:
        sql = f"nullif({sql}, {literal(blank)})"
    return sql


def _mapped(name: str, column: Column, received: Profile) -> Origin:
    known = meanings(received, name, column)
    values = {text: value for text, value in known.items() if value and is_untold(name, column, text)}
    keeps = column.values and VOCABULARIES[column.values].unknown == "keep"
    unknown = [] if keeps else [text for text, value in known.items() if value is None]
    remarks = [f"choose: what {', '.join(map(repr, unknown[:6]))} means (values: maps it)"] if unknown else []
    if values:
        return Origin({"from": received.name, "values": values}, remarks)
    return Origin(None if is_same(received.name, name) else received.name, remarks)


def _timed(name: str, column: Column, received: Profile, form: Form) -> Origin:
    if received.parts:
        day, clock = received.parts
        time_of_day = _name(clock.name) + ("[12:]" if any(len(text) > 12 for text in clock.distinct) else "")
        sql = f"{_name(day.name)} || ' ' || {time_of_day}"
        return Origin({"sql": sql}, ["day and time of day are in two columns"])
    if received.epoch and not received.times.share:
        divisor = SINCE_1970[received.epoch]
        seconds = f"{_text(received)}::double" + (f" / {divisor}" if divisor > 1 else "")
        return Origin({"sql": f"to_timestamp({seconds})"}, [f"{received.epoch} since 1970, UTC"])
    times = received.times
    plain = Origin(None if is_same(received.name, name) else received.name)
    if column.type == "date" and received.is_iso_date:
        return plain
    if column.type == "date" and times.share and not times.days:
        return Origin({"sql": f"{_parsed(received)}::date"}, ["the day of a time"])
    covered = any(option and set(option) <= set(form.formats) for option in _options(times))
    if covered or (times.iso and not form.formats):
        return plain
    return Origin({"sql": _parsed(received)}, ["written in another way than the other times"])


def _parsed(received: Profile) -> str:
    name = _text(received)
    if received.times.iso:
        return f"{name}::{'timestamptz' if received.times.zoned else 'timestamp'}"
    formats = ", ".join(literal(it) for it in _most_exact(received.times.formats))
    return f"strptime({name}, {formats if len(received.times.formats) == 1 else f'[{formats}]'})"


def _most_exact(formats: tuple[str, ...]) -> tuple[str, ...]:
    """Years of two digits first: to the others, 24 would be a year of antiquity."""
    return tuple(sorted(formats, key=lambda it: "%y" not in it))


def _number(name: str, column: Column, received: Profile, form: Form) -> Origin:
    own, text = unit_of_column(name), _text(received)
    if received.decimal is None and received.filled:
        seconds = f"epoch({text}::interval)"
        return Origin({"sql": seconds if own in (None, 1) else f"{seconds} / {own:g}"}, ["hours:minutes:seconds"])
    style, remarks = _style(column, received, form), []
    if style == "unclear":
        example = next(it for it in received.distinct if "," in it)
        remarks = [f"choose: {example} is {example.replace(',', '.')} (decimal: ',') or {example.replace(',', '')}"]
    told = unit_of(received.name)
    factor = told / own if told and own else 1.0
    plain = text
    if style == "thousands":
        plain, remarks = f"replace({text}, ',', '')", ["the comma separates thousands"]
    elif style == "," and (form.decimal == "." or not form.has_key or factor != 1):
        plain, remarks = f"replace(replace({text}, '.', ''), ',', '.')", ["a comma for decimals"]
    if factor != 1:
        by = f"* {factor:g}" if factor > 1 else f"/ {1 / factor:g}"
        return Origin({"sql": f"{plain}::double {by}"}, [*remarks, "its header names another unit"])
    if plain != text:
        return Origin({"sql": plain}, remarks)
    return Origin(None if is_same(received.name, name) else received.name, remarks)


def _style(column: Column, received: Profile, form: Form) -> str:
    """How numbers are written; 1,234 and 1.234 are what the file's other numbers say, or what makes them whole."""
    if received.is_dotted and (form.decimal == "," or column.type == "bigint"):
        return ","
    if received.decimal != "unclear" or form.decimal == ",":
        return "," if received.decimal == "unclear" else received.decimal
    by_comma = [float(it.replace(",", ".")) for it in received.distinct if "," in it and it.count(",") == 1]
    return "thousands" if column.type == "bigint" and any(it % 1 for it in by_comma) else "unclear"
