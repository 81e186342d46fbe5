"""What plant.yml makes of received columns: values from a path, a cell or an expression, value maps, and which records
are left out. A record in which an expression fails is a reject; the others go on.

Expressions see received columns as text: trimmed, NULL where empty, whole numbers without `.0`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingest.expressions import text_of
from ingest.plant_sql import Expression, WrongExpression, parsed, quoted
from ingest.source import Batch, Reading, Unreadable
from ingest.sql import identifier, literal
from pipeline.origin import Origin

WHERE, FAULT = "where", "_fault"
TYPED = re.compile("BOOLEAN|U?(TINY|SMALL)INT|U?INTEGER|BIGINT|FLOAT|DOUBLE|DATE|TIMESTAMP( WITH TIME ZONE)?")
"""Types of DuckDB that stay what they are; decimals become doubles, all others text."""


@dataclass(frozen=True)
class Mapped:
    values: dict[str, pa.ChunkedArray]
    """Of each derived contract column; and FAULT, which expressions failed, NULL where none did."""
    kept: pa.ChunkedArray | None
    """Which records fulfil `where` or fail in it; None: there is none. The values are of those alone."""


def expressions(reading: Reading) -> dict[str, Expression]:
    """By contract column, and `where`. Raises WrongExpression, its message beginning with the key."""
    found = {}
    for name, text in [*((name, origin.sql) for name, origin in reading.derived.items()), (WHERE, reading.where)]:
        if text is not None:
            try:
                found[name] = parsed(text)
            except WrongExpression as error:
                raise WrongExpression(f"{_key(name)}: {text!r}: {error}") from None
    return found


def mentioned(reading: Reading) -> set[str]:
    """The received columns that plant.yml names."""
    names = {name for expression in expressions(reading).values() for name in expression.names}
    return names | set(reading.columns.values())


def types_of(
    connection: duckdb.DuckDBPyConnection, found: dict[str, Expression], received: list[str]
) -> dict[str, str]:
    """The type that each expression gives over such columns. Raises WrongExpression as `expressions` does."""
    types = {}
    for name, expression in found.items():
        try:
            columns = ", ".join(f"null::varchar as {identifier(it)}" for it in expression.columns(received))
            sql = f"describe select {_tried(expression)}[1] as v from (select {columns or 'null'})"
            types[name] = connection.execute(sql).fetchone()[1]
            if name == WHERE and types[name] != "BOOLEAN":
                raise WrongExpression(f"is of the type {types[name].lower()}; expected a condition")
        except (WrongExpression, duckdb.Error) as error:
            said = " ".join(str(error).split("\n\nLINE")[0].split())
            raise WrongExpression(f"{_key(name)}: {expression.text!r}: {said}") from None
    return types


class Mapping:
    """Of one set of received columns in one object."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        reading: Reading,
        object_name: str,
        names: list[str],
        kinds: list[pa.DataType],
    ):
        """`connection` is a sandbox; `names` and `kinds` are those of the received columns.

        Raises Unreadable for what does not fit them.
        """
        self.connection = connection
        self.constants: dict[str, Callable[[Batch], object]] = {}
        found = {name: quoted(it.received) for name, it in reading.derived.items() if it.received is not None}
        try:
            found |= expressions(reading)
            types = types_of(connection, found, names)
        except WrongExpression as error:
            raise Unreadable(f"{error} (plant.yml)") from None
        for name, origin in reading.derived.items():
            if name not in found:
                self.constants[name] = _constant(name, origin, object_name)
        self.maps = {name: origin.values for name, origin in reading.derived.items() if origin.values}
        self.sql = self._query(found, types, names, kinds) if found else None
        nothing = {f"c{p}": pa.chunked_array([], kind) for p, kind in enumerate(kinds)}
        self.types = {name: array.type for name, array in self._worked_out(nothing, 0).items()}
        self.types |= {name: _repeated(reading.derived[name].value, 0).type for name in self.constants}
        self.types |= dict.fromkeys(self.maps, pa.string())
        """Arrow types of the derived columns."""

    def _query(
        self, found: dict[str, Expression], types: dict[str, str], names: list[str], kinds: list[pa.DataType]
    ) -> str:
        positions: dict[bytes, tuple[str, int]] = {}  # by what DuckDB takes for one name
        for expression in found.values():
            for name, position in expression.columns(names).items():
                if positions.setdefault(name.encode().lower(), (name, position))[1] != position:
                    raise Unreadable(f"columns: and where in plant.yml use two columns that are {name} but for case")
        columns = [f"{text_of(f'c{at}', kinds[at])} as {identifier(name)}" for name, at in positions.values()]
        tried = [f"{_tried(expression)} as t{at}" for at, expression in enumerate(found.values())]
        results = [self._result(name, types[name], f"t{at}") for at, name in enumerate(found)]
        faults = [
            f"case when t{at} is null then {literal(f'{_key(name)} in plant.yml fails on this record')} end"
            for at, name in enumerate(found)
        ]
        return f"""
            with texts as (select {", ".join(columns) or "null as nothing"} from received),
            tried as (select {", ".join(tried)} from texts)
            select {", ".join(results)}, nullif(concat_ws('; ', {", ".join(faults)}), '') as {FAULT} from tried
        """

    def _result(self, name: str, kind: str, tried: str) -> str:
        """Of `where`, whether the record is kept; one in which it fails is, so that it is a reject."""
        value = f"{tried}[1]"
        if name == WHERE:
            value = f"coalesce({value}, {tried} is null)"
        elif kind.startswith("DECIMAL") and name not in self.maps:
            value += "::double"
        elif not TYPED.fullmatch(kind) or name in self.maps:
            value += "::varchar"
        return f"{value} as {identifier(name)}"

    def applied(self, columns: dict[str, pa.ChunkedArray], batch: Batch) -> Mapped:
        """`columns`: the received ones as c<position>, trimmed."""
        count = len(batch.rows)
        values = self._worked_out(columns, count)
        kept = values.pop(WHERE, None)
        values |= {name: _repeated(it(batch), count) for name, it in self.constants.items()}
        values = {name: _meaning(array, self.maps.get(name)) for name, array in values.items()}
        if kept is not None:
            values = {name: array.filter(kept) for name, array in values.items()}
        return Mapped(values, kept)

    def _worked_out(self, columns: dict[str, pa.ChunkedArray], count: int) -> dict[str, pa.ChunkedArray]:
        """The value of each expression, and FAULT."""
        if not self.sql:
            return {FAULT: _repeated(None, count)}
        self.connection.register("received", pa.table(columns | {"_row": pa.nulls(count)}))
        try:
            result = self.connection.execute(self.sql).to_arrow_table()
        finally:
            self.connection.unregister("received")
        return {name: result[name] for name in result.column_names}


def _key(name: str) -> str:
    return name if name == WHERE else f"columns.{name}"


def _tried(expression: Expression) -> str:
    """A list of the value, so that NULL says that it can't be worked out, and nothing else does."""
    return f"try(list_value((\n{expression.text}\n)))"


def _constant(name: str, origin: Origin, object_name: str) -> Callable[[Batch], object]:
    if origin.path is not None:
        found = _searched(f"{_key(name)}.path", origin.path, object_name)
        return lambda batch: found
    if origin.sheet is not None:
        return lambda batch: _searched(f"{_key(name)}.sheet", origin.sheet, batch.sheet)
    if origin.cell is not None:
        return lambda batch: batch.cells.get(origin.cell)
    return lambda batch: origin.value


def _searched(key: str, pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if not found or found[1] is None:
        raise Unreadable(f"{key}: {pattern!r} in plant.yml is not found in {text!r}")
    return found[1]


def _repeated(value: object, count: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.repeat(pa.scalar(value, None if value is not None else pa.string()), count)])


def _meaning(array: pa.ChunkedArray, values: dict[str, str | None] | None) -> pa.ChunkedArray:
    """Text trimmed, and what the map of values says of it."""
    if values is not None:
        array = array.cast(pa.string())
    if pa.types.is_string(array.type):
        array = pc.utf8_trim_whitespace(array)
    if values is None:
        return array
    encoded = pc.fill_null(array, "").combine_chunks().dictionary_encode()
    meanings = [values.get(text, text) for text in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pc.take(pa.array(meanings, pa.string()), encoded.indices)])
