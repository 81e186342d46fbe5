"""Records as received to records of the lake: names, types, checks, time zones, hash. One projection per batch.

`Conversion` is made once per table and set of received columns; `convert` is called per batch. Types are cast and
checked by DuckDB, behind patterns that leave it nothing to guess; times are the matter of `timestamps`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingest.contract import CONTRACTS, RECORD_TABLES, VOCABULARIES, Contract, plain
from ingest.expressions import Typed, checked, extra_of, hash_of, misfit, typed
from ingest.mapping import FAILED, Mapping
from ingest.source import Batch, Reading, Unreadable
from ingest.spellings import Spellings
from ingest.sql import identifier, literal
from ingest.timestamps import Timestamps, flags_of

SCAN_ROWS = 65_536
"""Rows per Arrow batch handed to DuckDB: the unit of its parallelism."""


@dataclass(frozen=True)
class Converted:
    """`records` has the columns of the contract's schema; `rejects` row, record, reason and `columns`: those at fault,
    separated by blanks."""

    records: pa.Table
    rejects: pa.Table
    filtered_count: int = 0
    """Records that `where` left out."""
    misfit_count: int = 0
    """Rejects that look like records of another table."""


def match_columns(
    contract: Contract, received: list[str], named: dict[str, str], derived: Collection[str] = ()
) -> dict[str, str]:
    """Contract column: received column. Names are equal but for case, `_` and outer blanks, or as plant.yml says.

    `derived`: contract columns that need no received one. Raises Unreadable when required columns are missing, or two
    received columns are equally good.
    """
    found = {}
    for name in contract.columns:
        if name in derived and name not in named:
            continue
        if name in named:
            candidates = [other for other in received if other == named[name]]
            if not candidates and named[name] not in received:
                raise Unreadable(f"columns.{name} names {named[name]!r}, which is not among its columns: {received}")
        else:
            free = [other for other in received if other not in named.values()]
            candidates = [other for other in free if plain(other) == plain(name)]
            candidates = [other for other in candidates if other == name] or candidates
        if len(candidates) > 1:
            raise Unreadable(f"the columns {candidates} could all be {name}; say which with columns: in plant.yml")
        if candidates:
            found[name] = candidates[0]
    missing = [name for name in contract.required if name not in found and name not in derived]
    if missing:
        raise Unreadable(_missing(contract, missing, received))
    return found


def _missing(contract: Contract, missing: list[str], received: list[str]) -> str:
    known = {plain(name) for name in received}
    fits = [t for t in RECORD_TABLES if all(plain(name) in known for name in CONTRACTS[t].required)]
    hint = f"; its columns fit the table {' or '.join(fits)}" if fits else ""
    return (
        f"the required columns {', '.join(missing)} of {contract.table} are missing{hint}; "
        f"found: {', '.join(received[:40]) or 'none'} (map names with columns: in plant.yml)"
    )


class Conversion:
    """Of one table and one set of received columns. `started_at` (UTC) is what the future is judged against."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        received: pa.Schema,
        reading: Reading,
        *,
        plant_zone: str,
        spellings: Spellings,
        started_at: datetime,
        sandbox: duckdb.DuckDBPyConnection | None = None,
        object_name: str = "",
    ):
        """`sandbox`: for expressions of plant.yml; needed where `reading` has a mapping."""
        self.connection = connection
        self.contract = contract
        self.spellings = spellings
        matched = match_columns(contract, received.names, reading.columns, reading.derived)
        self.position = {name: received.names.index(other) for name, other in matched.items()}
        self.extra = [p for p in range(len(received)) if p not in self.position.values()]
        kinds = [plain_type(kind) for kind in received.types]
        self.mapping = None
        if reading.derived or reading.where is not None:
            self.mapping = Mapping(sandbox, reading, object_name, received.names, kinds)
            self.position |= {name: len(kinds) + at for at, name in enumerate(reading.derived)}
            kinds += [self.mapping.types[name] for name in reading.derived]
        self.timestamps = Timestamps(connection, reading, plant_zone)
        self.columns = [
            typed(name, contract.columns[name], kinds[self.position[name]], self.position[name], reading)
            for name in contract.columns
            if name in self.position
        ]
        extra = [(received.names[p], kinds[p], f"c{p}") for p in self.extra]
        self.sql = self._projection(self.columns, extra_of(extra), started_at)
        self.reject_sql = self._as_received(received)

    def _projection(self, columns: list[Typed], extra: str, started_at: datetime) -> str:
        fault = checked(self.contract, columns)
        if self.mapping:
            failed = f"struct_pack(reason := {FAILED}, columns := '')"
            fault = f"case when {FAILED} is not null then {failed} else {fault} end"
        have = {column.name for column in columns}
        output = []
        for name, column in self.contract.columns.items():
            kind = "varchar" if column.type == "string" else column.type
            parts = [name, f"{name}_local"] if column.type == "timestamp" else [name]
            output += [("" if name in have else f"null::{kind} as ") + identifier(part) for part in parts]
        times = [name for name in self.contract.timestamps if name in have]
        planned = {name for name in times if self.contract.columns[name].planned}
        return f"""
            with typed as (
                select {", ".join(f"{sql} as {identifier(name)}" for c in columns for name, sql in c.values)},
                    {extra} as _extra, *
                from received
            )
            select {", ".join(output)},
                _row,
                {hash_of(self.contract, have)} as _hash,
                {flags_of(times, planned, started_at)} as _flags,
                _extra,
                {fault} as _fault,
                _fault is not null and {misfit(self.contract, columns)} as _misfit
            from typed
        """

    def _as_received(self, received: pa.Schema) -> str:
        # JSON's numbers are doubles here, which have not all digits of a decimal
        exact = [f"c{p}::varchar" if pa.types.is_decimal(field.type) else f"c{p}" for p, field in enumerate(received)]
        pairs = ", ".join(f"{literal(name)}, {value}" for name, value in zip(received.names, exact, strict=True))
        return f"""
            select
                _row as row,
                json_object({pairs})::varchar as record,
                _fault.reason as reason,
                _fault.columns as columns
            from refused
        """

    def convert(self, batch: Batch) -> Converted:
        received = [_plain_array(column) for column in batch.records.columns]
        arrays = {f"c{p}": _trimmed(array) for p, array in enumerate(received)}
        rows = pa.chunked_array([pa.array(batch.rows, pa.int64())])
        if self.mapping:
            mapped = self.mapping.applied(arrays, batch)
            if mapped.kept is not None:
                received = [array.filter(mapped.kept) for array in received]
                arrays = {name: array.filter(mapped.kept) for name, array in arrays.items()}
                rows = rows.filter(mapped.kept)
            arrays |= {f"c{self.position[n]}" if n in self.position else n: it for n, it in mapped.values.items()}
        for name, position in self.position.items():
            column = self.contract.columns[name]
            if column.values:
                text = arrays[f"c{position}"].cast(pa.string())
                arrays[f"m{position}"] = self.spellings.mapped(name, VOCABULARIES[column.values], text)
            if column.type == "timestamp":
                arrays |= self.timestamps.converted(name, arrays[f"c{position}"])
        result = self._run(self.sql, "received", pa.table({**arrays, "_row": rows}))
        faults = result["_fault"]
        records = result.drop_columns(["_fault", "_misfit"])
        filtered = len(batch.rows) - len(rows)
        if faults.null_count == len(faults):
            return Converted(records, _no_rejects(), filtered)
        bad = pc.is_valid(faults)
        originals = {f"c{p}": array for p, array in enumerate(received)}
        # The projection keeps `_row`, so a record and its reason are brought together by it and by nothing else.
        order = pc.index_in(rows.combine_chunks(), value_set=result["_row"].combine_chunks())
        table = pa.table({**originals, "_row": rows, "_fault": pc.take(faults.combine_chunks(), order)})
        rejects = self._run(self.reject_sql, "refused", table.filter(pc.is_valid(table["_fault"])))
        return Converted(records.filter(pc.invert(bad)), rejects, filtered, pc.sum(result["_misfit"]).as_py())

    def _run(self, sql: str, name: str, table: pa.Table) -> pa.Table:
        batches = table.to_batches(max_chunksize=SCAN_ROWS)
        self.connection.register(name, pa.Table.from_batches(batches, table.schema))
        try:
            return self.connection.execute(sql).to_arrow_table()
        finally:
            self.connection.unregister(name)


def _no_rejects() -> pa.Table:
    texts = [(name, pa.string()) for name in ("record", "reason", "columns")]
    return pa.schema([("row", pa.int64()), *texts]).empty_table()


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type in which a received column is worked on: all kinds of text, and nothing at all, are `string`."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    text = (
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_null,
    )
    return pa.string() if any(is_text(kind) for is_text in text) else kind


def _plain_array(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(plain_type(column.type))
    except pa.ArrowInvalid as error:
        raise Unreadable(f"a column's bytes are not UTF-8 text: {error}") from None


def _trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(column) if pa.types.is_string(column.type) else column
