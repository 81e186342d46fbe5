"""Going on from an earlier version's DuckDB file: of the detail tables only the weeks that changed are written."""

import duckdb

from publish.predecessor import Predecessor
from publish.quoting import among, identifier
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
    connection.execute(
        f"delete from {identifier(database, 'main', table.name)} where {among(table.detail.start, gone)}"
    )


def _insert_weeks(
    connection: duckdb.DuckDBPyConnection, table: Table, database: str, now: dict[str | None, Week], stay: frozenset
) -> None:
    come = [week.start for label, week in now.items() if label not in stay]
    connection.execute(
        f"insert into {identifier(database, 'main', table.name)}"
        f" select * from {table.relation} where {among(table.detail.start, come)} order by {table.detail.start}"
    )
