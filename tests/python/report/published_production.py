"""Views of machine time and shifts, added to a published file: made of a few machines' intervals, in plain SQL.

The SQL is in .ddl files beside this one: dbt takes every .sql under tests/ for a test of the warehouse.
As in `published_marts`, what matters is that names, types and parts are those of the real views; a test compares their
columns with the contracts. Every OEE is of the parts beside it, every waterfall sums to calendar time.
"""

from pathlib import Path

import duckdb

HERE = Path(__file__).parent
PLAIN = {
    "machines": ["M1", "M2", "M3", "M4"],
    "lines": ["L1", "L2"],
    "line": "L1",
    "reason": "JAM",
    "side_a": "early",
    "ran": "P 97",
    "open": "M1 malfunction since 2024-01-20 11:00",
    "flag": "M2: load is high",
}
HOSTILE = {
    "machines": ["<script>alert(1)</script>", "=1+1", "@SUM(A1)", "a\"b'c&d"],
    "lines": ["<img src=x onerror=alert(2)>", "+L"],
    "line": "<img src=x onerror=alert(2)>",
    "reason": "</script><script>alert(3)</script>",
    "side_a": "<b>early</b>",
    "ran": "=P 97",
    "open": "<i>M1</i> down since 2024-01-20 11:00",
    "flag": "@M2: high",
}


def add_production(published: Path, texts: dict = PLAIN, *, shifts: bool = True) -> Path:
    """Adds the views of machine time, and of shifts, to `published/marts.duckdb`; gives `published`."""
    files = ["published_production.ddl", *(["published_shifts.ddl"] if shifts else [])]
    with duckdb.connect(str(published / "marts.duckdb")) as connection:
        for statement in (one for file in files for one in duckdb.extract_statements((HERE / file).read_text())):
            wanted = {name: texts[name] for name in statement.named_parameters}
            connection.execute(statement, wanted or None)
    return published
