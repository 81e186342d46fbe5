"""Published rows as JSON columns, each name once in a dictionary: how a document carries its data."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping


class Names(dict):
    """Names to their positions, in order of first use."""

    def index(self, name: str | None) -> int | None:
        """The position of a name; None of None."""
        return None if name is None else self.setdefault(name, len(self))

    def extend(self, names: Iterable[str]) -> None:
        """Gives names their positions before any row uses them."""
        for name in names:
            self.index(name)


def columns_of(rows: list[tuple], keys: list[str], columns: list[str], names: Mapping[str, Names]) -> dict[str, list]:
    """Rows of keys, then columns, as columns: of keys the positions in their `names`, of all else what JSON holds."""
    columns_of_rows = list(zip(*rows, strict=True)) or [()] * (len(keys) + len(columns))
    table: dict[str, list] = {}
    for key, values in zip(keys, columns_of_rows, strict=False):
        table[key] = [names[key].index(_label(value)) for value in values]
    for column, values in zip(columns, columns_of_rows[len(keys) :], strict=True):
        table[column] = [compact(value) for value in values]
    return table


def compact(value: object) -> object:
    """JSON for a published cell: seconds and rates to nine digits, flags as 0 and 1, what is no number as null."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = float(f"{value:.9g}")
        return int(value) if value.is_integer() else value
    return _label(value)


def _label(value: object) -> object:
    """Days and times as text, as people read them."""
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, dt.date) else value
