"""SQLite: a file, no schema, no roles, no comments. Readers wait at most for the end of one batch."""

import sqlite3

import sqlalchemy as sa

from publish.databases.address import Address
from publish.databases.database import Database
from publish.measures import FLOATS
from publish.quoting import identifier
from publish.tables import Column
from publish.versions import PublishError


class SQLite(Database):
    def __init__(self, address: Address, schema: str | None, reader: str | None, patience: float):
        if reader:
            raise PublishError("SQLite has no roles: leave out reader")
        self.connect_options = {"timeout": patience}
        super().__init__(address, None, None, patience)
        sa.event.listen(self.engine, "connect", _begin_by_ourselves)
        sa.event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("begin immediate"))

    def unfit(self, column: Column) -> str | None:
        if column.type in FLOATS:  # it knows infinity, and makes NaN NULL
            return f"isnan({identifier(column.name)})"
        return super().unfit(column)

    def fitted(self, column: Column) -> str:
        name = identifier(column.name)
        if column.type.startswith("DECIMAL"):
            return f"cast({name} as double) as {name}"
        if column.type in ("HUGEINT", "UBIGINT"):
            return f"cast({name} as bigint) as {name}"
        return super().fitted(column)


def _begin_by_ourselves(connection: sqlite3.Connection, _: object) -> None:
    """Python's sqlite3 would begin no transaction before it drops or renames a table."""
    connection.isolation_level = None
    connection.execute("pragma legacy_alter_table = on")  # views go by name, and need not be right at that moment
