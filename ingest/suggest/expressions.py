"""What plant.yml must say of one column for the loader to take it: a name, a map of values, or an expression."""

from dataclasses import dataclass, field

from ingest.contract import Column
from ingest.sql import identifier, literal
from ingest.suggest.matching import Match, is_same
from ingest.suggest.names import unit_of, unit_of_column
from ingest.suggest.times import Times
from ingest.suggest.values import Profile, is_untold, meanings

ISO_DAY = ("%Y-%m-%d",)
SINCE_1970 = {"s": 1, "ms": 1_000, "us": 1_000_000}


@dataclass(frozen=True)
class Form:
    """How the source as a whole writes times and numbers. `others`: time formats that fit as well as `formats`."""

    formats: tuple[str, ...] = ()
    others: tuple[tuple[str, ...], ...] = ()
    decimal: str = "."


@dataclass(frozen=True)
class Origin:
    """`written` is the value under `columns:` in plant.yml, None where the loader finds the column untold."""

    written: str | dict | None
    remarks: list[str] = field(default_factory=list)


def form_of(matches: dict[str, Match], columns: dict[str, Column]) -> Form:
    """The formats of all times that agree with each other, and the decimal sign.

    Times whose format is plain come first, so that they decide the order of day and month for the others.
    """
    received = [(columns[name].type, match.received) for name, match in matches.items()]
    times = [it.times for kind, it in received if kind == "timestamp" and not (it.epoch and not it.times.share)]
    times += [it.times for kind, it in received if kind == "date" and it.times.formats not in ((), ISO_DAY)]
    formats, others = (), ()
    if not all(it.iso for it in times):
        for it in sorted(times, key=lambda it: (bool(it.others), it.iso)):
            agreeing = [option for option in _options(it) if _agree(formats, option)]
            others = others if formats else tuple(agreeing[1:])
            formats = tuple(dict.fromkeys((*formats, *(agreeing[0] if agreeing else ()))))
    numbers = [it for kind, it in received if kind in ("double", "bigint")]
    dots = any("." in text for it in numbers if it.decimal == "." for text in it.distinct)
    return Form(formats, others, "," if any(it.decimal == "," for it in numbers) and not dots else ".")


def _options(times: Times) -> list[tuple[str, ...]]:
    return [times.formats, *times.others]


def _agree(formats: tuple[str, ...], more: tuple[str, ...]) -> bool:
    """Whether no text is one time by `formats` and another by `more`: days and months are in the same order."""
    return len({it[:2] for it in (*formats, *more) if not it.startswith("%Y") and "%b" not in it.lower()}) < 2


def origin_of(name: str, column: Column, match: Match, form: Form) -> Origin:
    received = match.received
    if column.values or column.type == "boolean":
        return _mapped(name, column, received)
    if column.type in ("timestamp", "date"):
        return _timed(name, column, received, form)
    if column.type in ("double", "bigint"):
        return _number(name, column, received, form)
    return Origin(None if is_same(received.name, name) else received.name)


def _mapped(name: str, column: Column, received: Profile) -> Origin:
    known = meanings(received, name, column)
    values = {text: value for text, value in known.items() if value and is_untold(name, column, text)}
    unknown = [text for text, value in known.items() if value is None]
    asked = f"choose: what do the values {', '.join(map(repr, unknown[:6]))} mean? map them with values:"
    remarks = [asked] if unknown else []
    if values:
        return Origin({"from": received.name, "values": values}, remarks)
    return Origin(None if is_same(received.name, name) else received.name, remarks)


def _timed(name: str, column: Column, received: Profile, form: Form) -> Origin:
    if received.parts:
        day, clock = received.parts
        time_of_day = identifier(clock.name) + ("[12:]" if any(len(text) > 12 for text in clock.distinct) else "")
        sql = f"{identifier(day.name)} || ' ' || {time_of_day}"
        return Origin({"sql": sql}, ["day and time of day are in two columns"])
    if received.epoch and not received.times.share:
        divisor = SINCE_1970[received.epoch]
        seconds = f"{identifier(received.name)}::double" + (f" / {divisor}" if divisor > 1 else "")
        return Origin({"sql": f"to_timestamp({seconds})"}, [f"{received.epoch} since 1970, UTC"])
    times = received.times
    plain = Origin(None if is_same(received.name, name) else received.name)
    if column.type == "date" and times.share and not times.days:
        return Origin({"sql": f"{_parsed(received)}::date"}, ["the day of a time"])
    covered = any(option and set(option) <= set(form.formats) for option in _options(times))
    if covered or (times.iso and not form.formats) or (column.type == "date" and times.formats in ((), ISO_DAY)):
        return plain
    return Origin({"sql": _parsed(received)}, ["written in another way than the other times"])


def _parsed(received: Profile) -> str:
    name = identifier(received.name)
    if received.times.iso:
        return f"{name}::{'timestamptz' if received.times.zoned else 'timestamp'}"
    if len(received.times.formats) == 1:
        return f"strptime({name}, {literal(received.times.formats[0])})"
    return f"coalesce({', '.join(f'try_strptime({name}, {literal(it)})' for it in received.times.formats)})"


def _number(name: str, column: Column, received: Profile, form: Form) -> Origin:
    own, text = unit_of_column(name), identifier(received.name)
    if received.decimal is None:
        seconds = f"epoch({text}::interval)"
        return Origin({"sql": seconds if own in (None, 1) else f"{seconds} / {own:g}"}, ["hours:minutes:seconds"])
    remarks = []
    if received.decimal == "unclear":
        example = next(text for text in received.distinct if "," in text)
        remarks = [f"choose: {example} is {example.replace(',', '.')} (decimal: ',') or {example.replace(',', '')}"]
    told = unit_of(received.name)
    factor = told / own if told and own else 1.0
    plain = text
    if received.decimal == "thousands":
        plain, remarks = f"replace({text}, ',', '')", ["the comma separates thousands"]
    elif received.decimal == "," and (form.decimal == "." or factor != 1):
        plain, remarks = f"replace(replace({text}, '.', ''), ',', '.')", ["a decimal comma"]
    if factor != 1:
        by = f"* {factor:g}" if factor > 1 else f"/ {1 / factor:g}"
        return Origin({"sql": f"{plain}::double {by}"}, [*remarks, "its header names another unit"])
    if plain != text:
        return Origin({"sql": plain}, remarks)
    return Origin(None if is_same(received.name, name) else received.name, remarks)
