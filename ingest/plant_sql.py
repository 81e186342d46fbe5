"""SQL that plant.yml holds: one expression over received columns, all of them text.

It computes, and does nothing else: no query, no aggregate, no function whose result depends on when or where it runs.
So it is parsed before it is used, and runs on a connection that can reach no file.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import duckdb

from ingest.sql import identifier

PARTS = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLLATE",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "OPERATOR",
}
"""Classes of DuckDB's syntax tree that an expression may have."""
UNSTEADY = re.compile("age|(current|pg|has)_.*|getvariable|session_user|user|version")
"""Functions that DuckDB calls consistent, and whose result depends on the moment or the connection all the same."""


class WrongExpression(ValueError):
    """The message says what is wrong, in one line."""


@dataclass(frozen=True)
class Expression:
    text: str
    names: tuple[str, ...]
    """Received columns, as they are written in it."""

    def columns(self, received: Sequence[str]) -> dict[str, int]:
        """Its names and their positions in `received`; upper and lower case alike unless a name is there as written."""
        found = {}
        for name in self.names:
            fits = [other for other in received if other == name]
            fits = fits or [other for other in received if other.casefold() == name.casefold()]
            if len(fits) != 1:
                what = "more than one column is" if fits else "there is no column"
                raise WrongExpression(f"{what} {name}; expected one of {', '.join(map(identifier, received[:40]))}")
            found[name] = received.index(fits[0])
        return found


@cache
def parsed(text: str) -> Expression:
    """Raises WrongExpression for what is not one harmless expression."""
    tree = _tree(f"select (\n{text}\n)")
    selected = tree.pop("select_list", [])
    if len(selected) != 1 or tree != _frame():
        raise WrongExpression("it is more than one expression")
    names: dict[str, None] = {}
    for part in _parts(selected[0]):
        if part["class"] not in PARTS:
            raise WrongExpression(f"a {part['class'].lower()} is not allowed; expected an expression over columns")
        if part["class"] == "FUNCTION" and part["function_name"].lower() not in _functions():
            raise WrongExpression(f"the function {part['function_name']} is not allowed, or does not exist")
        if part["class"] == "COLUMN_REF":
            if len(part["column_names"]) > 1:
                raise WrongExpression(f'{".".join(part["column_names"])}: write a name with a dot in it as "a.b"')
            names[part["column_names"][0]] = None
    folded = [name.casefold() for name in names]
    if len(set(folded)) < len(folded):
        raise WrongExpression("it writes a column in two ways")
    return Expression(text, tuple(names))


def quoted(name: str) -> Expression:
    """A received column by itself."""
    return Expression(identifier(name), (name,))


def sandbox() -> duckdb.DuckDBPyConnection:
    """A connection that reaches nothing but what is registered with it."""
    connection = duckdb.connect(
        config={
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": "256MB",
        }
    )
    connection.execute("set global timezone = 'UTC'")
    connection.execute("set lock_configuration = true")
    return connection


def _tree(sql: str) -> dict:
    with duckdb.connect() as connection:
        found = json.loads(connection.execute("select json_serialize_sql(?)", [sql]).fetchone()[0])
    if found["error"]:
        raise WrongExpression(" ".join(found["error_message"].split()))
    (statement,) = found["statements"]
    return statement["node"]


@cache
def _frame() -> dict:
    """What is around an expression that stands alone."""
    tree = _tree("select (\n1\n)")
    del tree["select_list"]
    return tree


@cache
def _functions() -> frozenset[str]:
    with duckdb.connect() as connection:
        rows = connection.execute("""
            select function_name
            from duckdb_functions()
            group by all
            having bool_and(function_type in ('scalar', 'macro') and coalesce(stability, 'CONSISTENT') = 'CONSISTENT')
        """).fetchall()
    return frozenset(name.lower() for (name,) in rows if not UNSTEADY.fullmatch(name))


def _parts(node: object) -> Iterator[dict]:
    """Of a syntax tree, those that have a class."""
    if isinstance(node, dict):
        if "class" in node:
            yield node
        for child in node.values():
            yield from _parts(child)
    elif isinstance(node, list):
        for child in node:
            yield from _parts(child)
