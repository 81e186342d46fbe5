"""Rows of a database driver, Python values, to Arrow.

A value becomes the same whatever its neighbours are, so that a record that is read again has the same `_hash`: decimals
are text, since Arrow's have the digits of the longest one, and a column of several types is text as a whole.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

EXACT = 2**53
TYPES = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    date: pa.date32(),
}


def arrow_table(names: Sequence[str], rows: Sequence[Sequence]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table([_array(column) for column in columns], names=list(names))


def _array(values: Sequence) -> pa.Array:
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pa.array(values, pa.string())
    kind = kinds.pop()
    try:
        if not kinds and kind in TYPES:
            return pa.array(values, TYPES[kind])
        zoned = {value.tzinfo is not None for value in values if value is not None} if kind is datetime else set()
        if not kinds and len(zoned) == 1:
            return pa.array(values, pa.timestamp("us", "UTC" if True in zoned else None))
    except (pa.ArrowInvalid, OverflowError):
        pass  # such as a number of more than 64 bits
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: object) -> str:
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False, default=_text)
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return str(int(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return _bytes_as_text(bytes(value))
    as_iso: Callable | None = getattr(value, "isoformat", None)
    return as_iso() if as_iso else str(value)


def _bytes_as_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"\\x{value.hex()}"
