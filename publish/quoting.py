"""The only places where a name or a value becomes part of an SQL statement."""


def identifier(*names: str) -> str:
    """A possibly qualified name: identifier("main", "a b") is "main"."a b"."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: object) -> str:
    """A string literal. DuckDB knows no escapes in it but the doubled quote."""
    return "'" + str(text).replace("'", "''") + "'"
