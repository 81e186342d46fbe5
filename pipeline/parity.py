"""Whether both engines make the same marts of the same records.

Compared is every published table, row by row: keys, counts, texts, times and NULLs are equal, floating point values
within 1e-9 relative.
"""

from contextlib import closing
from dataclasses import replace

import duckdb

from pipeline.build import build
from pipeline.paths import Paths
from pipeline.screen import Screen
from publish.quoting import identifier, literal
from publish.tables import Table, read_tables

RELATIVE = 1e-9


class ParityError(RuntimeError):
    """The engines differ; the message has a line for each table that does."""


def build_on_both(paths: Paths, screen: Screen) -> dict[str, int]:
    """Builds what the lake holds on DuckDB and on Spark and compares; rows by table.

    Raises ParityError, or BuildError where a build fails.
    """
    sides = [replace(paths, engine=engine) for engine in ("duckdb", "spark")]
    for side in sides:
        with screen.step(side.engine) as step:
            built = build(side, progress=step.counting)
            step.done(f"{built.models} models, {built.tests} tests passed")
    with screen.step("compare") as step:
        rows = compare(*sides)
        step.done(f"{len(rows)} tables, {sum(rows.values()):,} rows: equal")
    return rows


def compare(left: Paths, right: Paths) -> dict[str, int]:
    """Compares the warehouses of DuckDB (`left`) and Spark (`right`); rows by table. Raises ParityError."""
    with closing(duckdb.connect()) as connection:
        tables = []
        # dbt's views name their tables with the stem
        for side, name in ((left, left.warehouse.stem), (right, "spark")):
            connection.execute(f"attach {literal(side.warehouse)} as {identifier(name)} (read_only)")
            tables.append({table.name: table for table in read_tables(connection, name, "marts", "publish")})
        if tables[0].keys() != tables[1].keys():
            raise ParityError(f"tables on one engine only: {', '.join(sorted(tables[0].keys() ^ tables[1].keys()))}")
        found = {name: difference(connection, table, tables[1][name]) for name, table in tables[0].items()}
        if different := [f"{name}: {text}" for name, text in found.items() if text]:
            raise ParityError("\n".join(different))
        return {
            name: connection.sql(f"select count(*) from {table.relation}").fetchone()[0]
            for name, table in tables[0].items()
        }


def difference(connection: duckdb.DuckDBPyConnection, left: Table, right: Table) -> str | None:
    """The first difference of two tables in words; None where they are equal.

    Rows are paired in the order of all their columns, floating point last: a sum that differs in its last digit does
    not change the order of rows that differ in anything else.
    """
    if left.columns != right.columns:
        return f"columns are {left.columns} and {right.columns}"
    exact = [column.name for column in left.columns if column.type != "DOUBLE"]
    floating = [column.name for column in left.columns if column.type == "DOUBLE"]
    order = ", ".join(identifier(name) for name in exact + floating)
    unequal = [f"l.{identifier(name)} is distinct from r.{identifier(name)}" for name in exact] + [
        _apart(f"l.{identifier(name)}", f"r.{identifier(name)}") for name in floating
    ]
    which = " ".join(
        f"when {condition} then {literal(name)}" for name, condition in zip(exact + floating, unequal, strict=True)
    )
    found = connection.execute(
        f"""
        with l as (select *, row_number() over (order by {order}) as place from {left.relation}),
        r as (select *, row_number() over (order by {order}) as place from {right.relation})
        select case when l.place is null or r.place is null then 'number of rows' {which} end, l, r
        from l full outer join r on l.place = r.place
        where l.place is null or r.place is null or {" or ".join(unequal)}
        order by coalesce(l.place, r.place)
        limit 1
        """
    ).fetchone()
    return found and f"{found[0]} differs: {found[1]} and {found[2]}"


def _apart(left: str, right: str) -> str:
    return (
        f"({left} is distinct from {right}"
        f" and not coalesce(abs({left} - {right}) <= {RELATIVE} * greatest(abs({left}), abs({right})), false))"
    )
