"""SQL expressions by which a received column becomes a typed one, is checked, and goes into `_hash` and `_extra`.

Received columns are named `c<position>` here, so that no received name ever enters SQL as an identifier; text is
already trimmed. The patterns leave DuckDB's casts nothing to guess: `nan`, `inf`, `1_000`, `1,5` are not numbers.
"""

from dataclasses import dataclass

import pyarrow as pa

from ingest.contract import VOCABULARIES, Column, Contract
from ingest.sql import identifier, literal

NUMBER = literal(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
WHOLE = literal(r"[+-]?\d+(\.0*)?")
DATE = literal(r"\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?)?")
TRUE, FALSE = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"
EXACT = "9007199254740992"  # 2^53: every whole double up to here is exact
SEPARATOR = "chr(31)"
EXPECTED = {
    "bigint": "is not a whole number",
    "double": "is not a finite number",
    "boolean": "is not true or false",
    "date": "is not a date YYYY-MM-DD",
    "string": "is not text",
    "timestamp": "is not a time YYYY-MM-DD HH:MM[:SS[.f]][Z or +HH:MM] of 1900 to 2199; say what else it is with "
    "timestamp_format in plant.yml",
}


@dataclass(frozen=True)
class Typed:
    """`values`: output names and their SQL. `received`: SQL that is NULL where nothing was received."""

    name: str
    column: Column
    values: list[tuple[str, str]]
    received: str


def typed(name: str, column: Column, kind: pa.DataType, position: int, timestamp_format: str | None) -> Typed:
    """The contract column `name`, received with Arrow type `kind` at `position`."""
    source = f"c{position}"
    received = f"nullif({source}, '')" if pa.types.is_string(kind) else source
    text = _text(source, kind)
    if column.type == "timestamp":
        return Typed(name, column, [], received)
    if column.values:
        value = f"m{position}"
    elif column.type == "string":
        value = text
    elif column.type == "double":
        value = _double(text, source, kind)
    elif column.type == "bigint":
        value = _bigint(text, source, kind)
    elif column.type == "boolean":
        value = source if pa.types.is_boolean(kind) else _boolean(text)
    else:
        value = _date(text, kind, timestamp_format)
    return Typed(name, column, [(name, value)], received)


def _text(source: str, kind: pa.DataType) -> str:
    """Canonical text; NULL where empty. A whole double has no `.0`: it may have been an integer once."""
    if pa.types.is_string(kind):
        return f"nullif({source}, '')"
    if pa.types.is_floating(kind):
        whole = f"isfinite({source}) and {source} = trunc({source}) and abs({source}) <= {EXACT}"
        return f"case when {whole} then {source}::bigint::varchar else {source}::varchar end"
    if pa.types.is_nested(kind):
        return f"to_json({source})::varchar"
    return f"{source}::varchar"


def _double(text: str, source: str, kind: pa.DataType) -> str:
    number = f"{source}::double" if pa.types.is_floating(kind) or pa.types.is_integer(kind) else None
    number = number or f"case when regexp_full_match({text}, {NUMBER}) then try_cast({text} as double) end"
    # Adding 0 makes -0 into 0, so that equal values have equal text in the hash.
    return f"(case when isfinite({number}) then {number} + 0 end)"


def _bigint(text: str, source: str, kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return f"try_cast({source} as bigint)"
    whole = f"case when regexp_full_match({text}, {WHOLE}) then try_cast(split_part({text}, '.', 1) as bigint) "
    number = f"when regexp_full_match({text}, {NUMBER}) then try_cast({text} as double) end"
    exact = f"(case {number})"
    return f"{whole} when {exact} = trunc({exact}) and abs({exact}) <= {EXACT} then {exact}::bigint end"


def _boolean(text: str) -> str:
    return f"case when lower({text}) in {TRUE} then true when lower({text}) in {FALSE} then false end"


def _date(text: str, kind: pa.DataType, timestamp_format: str | None) -> str:
    iso = f"case when regexp_full_match({text}, {DATE}) then try_cast({text}[:10] as date) end"
    if timestamp_format is None or not pa.types.is_string(kind):
        return iso
    return f"coalesce({iso}, try_strptime({text}, {literal(timestamp_format)})::date)"


def checked(contract: Contract, columns: list[Typed]) -> str:
    """NULL for a good record, else every reason against it, separated by `; `."""
    cases = {column.name: _faults(column) for column in columns}
    faults = [fault for found in cases.values() for fault in found]
    have = [identifier(name) for name in contract.any_of if name in cases]
    if contract.any_of:
        none = " and ".join(f"{name} is null" for name in have) or "true"
        fault = (none, literal(f"{' or '.join(contract.any_of)} is missing"))
        cases["any_of"] = [fault]
        faults.append(fault)
    broken = " or ".join(f"({condition})" for condition, _ in faults) or "false"
    reasons = [
        "case " + " ".join(f"when {condition} then {reason}" for condition, reason in found) + " end"
        for found in cases.values()
        if found
    ]
    return f"case when {broken} then concat_ws('; ', {', '.join(reasons) or 'null'}) end"


def _faults(typed_column: Typed) -> list[tuple[str, str]]:
    """Conditions under which a column breaks its contract, none of them ever NULL-prone, and the reason's SQL."""
    name, column, received = typed_column.name, typed_column.column, typed_column.received
    value = identifier(name)
    faults = []
    if column.required:
        faults.append((f"{received} is null", literal(f"{name} is missing")))
    if column.type != "string" or column.values:
        faults.append((f"{received} is not null and {value} is null", _not_as_expected(typed_column)))
    if column.min is not None:
        faults.append((f"coalesce({value} < {column.min:g}, false)", literal(f"{name} is below {column.min:g}")))
    if column.max is not None:
        faults.append((f"coalesce({value} > {column.max:g}, false)", literal(f"{name} is above {column.max:g}")))
    return faults


def _not_as_expected(typed_column: Typed) -> str:
    name, column = typed_column.name, typed_column.column
    if not column.values:
        return literal(f"{name} {EXPECTED[column.type]}")
    known = ", ".join(VOCABULARIES[column.values].values)
    return f"{literal(f'{name} ')} || {literal(chr(39))} || left({typed_column.received}::varchar, 40) || " + literal(
        f"' is not one of {known}; map it in value_spellings.csv"
    )


def hash_of(contract: Contract, have: set[str]) -> str:
    """63 bits of the MD5 of the record's canonical text.

    The values of the required columns, then name and value of each optional one that is not NULL, then those of
    `_extra`; each group in contract order, all separated by the unit separator (31). So it does not depend on the order
    of received columns, on absent optional ones, on the format or on how the record came. Times are UTC microseconds,
    doubles their shortest text. The first 8 bytes of the digest, least significant first, without their highest bit.
    """
    required, optional = [], []
    for name, column in contract.columns.items():
        if name not in have or column.delivery:
            continue
        value = identifier(name)
        value = f"epoch_us({value})::varchar" if column.type == "timestamp" else f"{value}::varchar"
        if column.required:
            required.append(value)
        else:
            optional.append(f"{literal(name)} || {SEPARATOR} || {value}")
    parts = [*required, *optional, f"'_extra' || {SEPARATOR} || _extra"]
    return f"(md5_number(concat_ws({SEPARATOR}, {', '.join(parts)})) & {2**63 - 1}::uhugeint)::bigint"


def extra_of(columns: list[tuple[str, pa.DataType, str]]) -> str:
    """JSON text of the columns that no contract names: sorted by name, empty ones left out; NULL when all are."""
    parts = []
    for name, kind, source in sorted(columns, key=lambda column: column[0]):
        value = f"to_json({source})" if pa.types.is_nested(kind) else f"to_json({_text(source, kind)})"
        parts.append(f"to_json({literal(name)})::varchar || ':' || {value}::varchar")
    if not parts:
        return "null::varchar"
    return f"'{{' || nullif(concat_ws(',', {', '.join(parts)}), '') || '}}'"
