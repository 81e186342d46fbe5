"""Going on from an earlier version's DuckDB file: of the detail tables only the weeks that changed are written."""

from datetime import date

import duckdb

from publish.predecessor import Predecessor
from publish.quoting import identifier, literal
from publish.tables import Table, read_tables, write_table
from publish.weeks import Week, Weeks


def update_database(
    connection: duckdb.DuckDBPyConnection, tables: list[Table], database: str, before: Predecessor, now: Weeks
) -> None:
    """Makes the attached `database`, a copy of the file of `before`, hold `tables` with the weeks of `now`."""
    weekly = [table for table in tables if before.kept.get(table.name)]
    names = {table.name for table in weekly}
    for old in read_tables(connection, database, "main"):
        if old.name not in names:
            connection.execute(f"drop table {old.relation}")
    for table in weekly:
        _delete_weeks(connection, table, database, before.contents.weeks[table.name], before.kept[table.name])
    connection.execute(f"checkpoint {identifier(database)}")  # what was deleted makes room for what comes
    for table in weekly:
        _insert_weeks(connection, table, database, now[table.name], before.kept[table.name])
    for table in tables:
        if table.name not in names:
            write_table(connection, table, database)


def _delete_weeks(
    connection: duckdb.DuckDBPyConnection, table: Table, database: str, then: dict[str | None, Week], stay: frozenset
) -> None:
    gone = [week.start for label, week in then.items() if label not in stay]
    connection.execute(f"delete from {identifier(database, 'main', table.name)} where {_starts(table, gone)}")


def _insert_weeks(
    connection: duckdb.DuckDBPyConnection, table: Table, database: str, now: dict[str | None, Week], stay: frozenset
) -> None:
    come = [week.start for label, week in now.items() if label not in stay]
    connection.execute(
        f"insert into {identifier(database, 'main', table.name)}"
        f" select * from {table.relation} where {_starts(table, come)} order by {table.detail.start}"
    )


def _starts(table: Table, starts: list[date | None]) -> str:
    """A condition that is true of the weeks with these first days; None is that of rows without one.

    Without an "or" where there need not be one: that would keep DuckDB from leaving out what it need not read.
    """
    listed = ", ".join(f"date {literal(start)}" for start in starts if start is not None)
    start = table.detail.start
    conditions = [f"{start} in ({listed})"] * bool(listed) + [f"{start} is null"] * (None in starts)
    return " or ".join(conditions) or "false"
