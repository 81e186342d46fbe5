"""What the formats of test equipment share: rows of `test_record`, `test_measurement` and `rework` as they are found.

A row is a dict by column name. Columns of the contract have its names; everything else that a file says has the name
that it has there, and a dot or a capital in it, so that it is never taken for one. `None` is handed over where a file
says nothing: the contract then says whether that can be.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

KEY = ("serial_num", "test_name", "test_timestamp")


@dataclass(frozen=True)
class Unfit:
    """Something that can't even become a row: JSON text as received, and why."""

    record: str
    reason: str


class Misshapen(ValueError):
    """A part of a document is of another kind than its format says."""


def measured(attempt: dict, found: Iterable[dict], named: Collection[str]) -> Iterator[dict]:
    """The values measured in an attempt as rows: with its key, and with its columns that plant.yml names.

    A parameter may occur again in the attempt, in a loop or a retry.
    """
    key = {name: attempt[name] for name in (*KEY, *named) if name in attempt}
    seen: Counter = Counter()
    for values in found:
        yield key | values | {"parameter": unrepeated(values["parameter"], seen)}


def unrepeated(name: str, seen: Counter) -> str:
    """`name`, or `name #2` the second time, so that none hides another."""
    seen[name] += 1
    return name if seen[name] == 1 else f"{name} #{seen[name]}"


def mapping(value: object, name: str) -> dict:
    """`value`, or nothing where there is none. Raises Misshapen."""
    return _of(dict, value, name, "an object")


def sequence(value: object, name: str) -> list:
    return _of(list, value, name, "a list")


def _of(kind: type, value: object, name: str, expected: str):
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise Misshapen(f"{name} is not {expected}")
    return value


def unfit(document: object, reason: str) -> Unfit:
    """Of a JSON document. As ASCII, since it may hold what is no text, such as half a surrogate pair."""
    return Unfit(json.dumps(document), reason)


def text_of(values: dict | list) -> str | None:
    """JSON text for a column of the lake's `_extra`; None where there is nothing."""
    return json.dumps(values, ensure_ascii=False) if values else None
