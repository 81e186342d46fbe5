"""The two ways in which a piece of text may enter SQL."""


def identifier(name: str) -> str:
    """`name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a string literal (DuckDB gives backslashes no meaning)."""
    return "'" + text.replace("'", "''") + "'"
