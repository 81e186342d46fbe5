"""The entry for plant.yml: what it says, and its text with a comment for each line that wants one."""

import json
import re
from dataclasses import dataclass, field

import yaml

from ingest.contract import CONTRACTS, VOCABULARIES, Column
from ingest.suggest.by_name import Match
from ingest.suggest.expressions import form_of, origin_of
from ingest.suggest.matching import TableFit
from ingest.suggest.names import says_utc
from ingest.suggest.sample import Sample

PLAIN = re.compile(r"[A-Za-z_/$][\w ./*${}()%+-]*(?<! )")
STOPGAPS = {
    "string": {"value": "?"},
    "timestamp": {"sql": "timestamp '2000-01-01 00:00:00'"},
    "date": {"value": "2000-01-01"},
    "boolean": {"value": True},
    "double": {"value": 0},
    "bigint": {"value": 0},
}
"""What stands for a missing column, by its type, when the entry is tried."""
MOST_SHOWN = 20
PARENT = r"([^/]+)/[^/]+$"


@dataclass(frozen=True)
class Line:
    """A key with its value. `chosen` is False for what must be chosen first: it is written as a comment."""

    key: str
    value: object
    comment: str = ""
    chosen: bool = True


@dataclass(frozen=True)
class Entry:
    """One source of plant.yml. `open`: required columns with more than one candidate; `missing`: those without any,
    with what stands for them when the entry is tried."""

    lines: list[Line]
    columns: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    missing: dict[str, dict] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    """Received columns that go to `_extra`."""

    @property
    def source(self) -> dict:
        """What plant.yml says, as YAML reads it."""
        found = {line.key: line.value for line in self.lines if line.chosen}
        columns = {line.key: line.value for line in self.columns if line.chosen}
        return found | ({"columns": columns} if columns else {})

    @property
    def decided(self) -> dict:
        """The same, as if the first of each choice had been taken, and anything for what is missing."""
        found = {line.key: line.value for line in self.lines[::-1] if line.chosen or line.key == "timestamp_format"}
        columns = {line.key: line.value for line in self.columns if line.chosen or line.key in self.open}
        columns |= self.missing
        return found | ({"columns": columns} if columns else {})

    @property
    def text(self) -> str:
        """As an item of the list under `sources:`."""
        rows = [(line, f"    {_written(line)}") for line in self.lines]
        rows[0] = (rows[0][0], f"  - {_written(rows[0][0])}")
        if self.columns:
            head = Line("columns", None, chosen=any(line.chosen for line in self.columns))
            rows.append((head, "    columns:" if head.chosen else "    # columns:"))
            rows += [(line, f"      {_written(line)}") for line in self.columns]
        width = min(max(len(text) for line, text in rows if line.comment), 60) if any(r[0].comment for r in rows) else 0
        lines = [f"  # {_one_line(note)}" for note in self.notes]
        lines += [f"{text:<{width}}  # {_one_line(line.comment)}" if line.comment else text for line, text in rows]
        return "\n".join(lines) + "\n"


def _written(line: Line) -> str:
    return f"{'' if line.chosen else '# '}{line.key}: {scalar(line.value)}"


def scalar(value: object) -> str:
    """A value as YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {scalar(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(scalar, value)) + "]"
    if isinstance(value, str):
        if PLAIN.fullmatch(value) and not {"{", "}"} & set(value) and yaml.safe_load(value) == value:
            return value
        if '"' in value and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        return json.dumps(value, ensure_ascii=not value.isprintable())
    return json.dumps(value)


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def entry_of_equipment(name: str, path: str, sample: Sample) -> Entry:
    """Of a format that knows its tables and columns."""
    return Entry([*_first(name, path), *_keys(sample)])


def entry_of(name: str, path: str, sample: Sample, *, fit: TableFit, rivals: list[TableFit], zone: str) -> Entry:
    """`rivals`: the next best tables. `zone`: what is said of the plant's time zone."""
    columns = CONTRACTS[fit.table].columns
    folder = sample.head.file.parent.name
    text = sample.head.kind == "csv"
    firsts = {name: some[0] for name, some in fit.choices.items()}
    form = form_of(firsts | {name: match.received for name, match in fit.matches.items()}, columns, has_key=text)
    lines = [*_first(name, path), Line("table", fit.table, _next_best(fit, rivals)), *_keys(sample)]
    if form.decimal == "," and text:
        lines.append(Line("decimal", ",", "a dot separates thousands"))
    lines += _formats(form.formats, form.others)
    lines += _zone(fit, columns, zone)
    written, undecided, missing = [], [], {}
    for column in columns:
        if column in fit.matches:
            match = fit.matches[column]
            origin = origin_of(column, columns[column], match.received, form)
            comment = "; ".join([*origin.remarks, match.why, *_second(match)])
            value = origin.written
            if value is None and origin.remarks:
                value = match.received.name
            if value is not None:
                written.append(Line(column, value, comment))
        elif column in fit.choices:
            names = [received.name for received in fit.choices[column]]
            value = origin_of(column, columns[column], firsts[column], form).written or names[0]
            whence = f"; or {scalar({'path': PARENT})}: {folder}" if _may_be_folder(column, columns[column]) else ""
            written.append(Line(column, value, f"choose: {' or '.join(names[:6])}{whence}", chosen=False))
            if columns[column].required:
                undecided.append(column)
        elif column in fit.missing:
            written.append(_missing(column, columns[column], folder))
            missing[column] = _stopgap(columns[column])
    extra = _extra(sample, fit)
    shown = ", ".join(extra[:MOST_SHOWN]) + (f" and {len(extra) - MOST_SHOWN} more" if len(extra) > MOST_SHOWN else "")
    notes = [*sample.notes, f"to _extra: {shown}"] if extra else sample.notes
    return Entry(lines, written, notes, undecided, missing, extra)


def _first(name: str, path: str) -> list[Line]:
    return [Line("name", name), Line("kind", "files"), Line("path", path)]


def _keys(sample: Sample) -> list[Line]:
    return [Line(key, value, comment) for key, (value, comment) in sample.keys.items()]


def _next_best(fit: TableFit, rivals: list[TableFit]) -> str:
    if not rivals:
        return ""
    close = rivals[0].score > fit.score - 0.05
    return f"choose: {fit.table} or {rivals[0].table}" if close else f"next best: {rivals[0].table}"


def _formats(formats: tuple[str, ...], others: tuple) -> list[Line]:
    if not formats:
        return []
    value = formats[0] if len(formats) == 1 else list(formats)
    if not others:
        return [Line("timestamp_format", value)]
    why = "choose: its times fit each of these"
    return [
        Line("timestamp_format", it[0] if len(it) == 1 else list(it), why, chosen=False) for it in (formats, *others)
    ]


def _zone(fit: TableFit, columns: dict[str, Column], zone: str) -> list[Line]:
    times = [match.received for name, match in fit.matches.items() if columns[name].type == "timestamp"]
    times = [it for it in times if not it.epoch]
    if not times or all(it.times.zoned for it in times):
        return []
    if all(it.times.zoned or says_utc(it.name) for it in times):
        return [Line("timezone", "UTC", "the header says so")]
    return [Line("timezone", "Area/City", f"the times carry no zone; unless told they are {zone}", chosen=False)]


def _second(match: Match) -> list[str]:
    return [f"next best: {match.second.name}"] if match.second else []


def _stopgap(column: Column) -> dict:
    return {"value": VOCABULARIES[column.values].values[0]} if column.values else STOPGAPS[column.type]


def _may_be_folder(name: str, column: Column) -> bool:
    """Whether the name of a folder may say what stands for all records."""
    return column.required and column.type == "string" and name.endswith(("_id", "_name"))


def _missing(name: str, column: Column, folder: str) -> Line:
    if _may_be_folder(name, column):
        return Line(name, {"path": PARENT}, f"choose: required, and nothing is like it; this is {folder}", chosen=False)
    known = f": {', '.join(VOCABULARIES[column.values].values)}" if column.values else ""
    return Line(name, {"value": "..."}, f"choose: required, and nothing is like it; a constant{known}", chosen=False)


def _extra(sample: Sample, fit: TableFit) -> list[str]:
    used = [match.received for match in fit.matches.values()] + [it for some in fit.choices.values() for it in some]
    taken = {part.place for it in used for part in (it, *it.parts)}
    return [profile.name for profile in sample.columns if profile.place not in taken]
