"""The only places where a name or a value becomes part of an SQL statement."""

from collections.abc import Iterable
from datetime import date


def identifier(*names: str) -> str:
    """A possibly qualified name: identifier("main", "a b") is "main"."a b"."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: object) -> str:
    """A string literal. DuckDB knows no escapes in it but the doubled quote."""
    return "'" + str(text).replace("'", "''") + "'"


def among(column: str, values: Iterable[date | str | None]) -> str:
    """A condition: the column has one of these values, None being NULL.

    Without an "or" where there need not be one: that would keep DuckDB from leaving out what it need not read.
    """
    values = set(values)
    listed = ", ".join(literal(value) for value in sorted(values - {None}))
    conditions = [f"{column} in ({listed})"] * bool(listed) + [f"{column} is null"] * (None in values)
    return f"({' or '.join(conditions) or 'false'})"
