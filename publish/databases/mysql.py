"""MySQL and MariaDB: rows by multi-row inserts, all tables renamed in one statement."""

import time

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from publish.databases.address import Address
from publish.databases.database import NEW, OLD, Database
from publish.databases.shape import Shape
from publish.tables import Column
from publish.versions import PublishError

LOCK_WAIT_TIMEOUT = 1205
"""The server's number for it."""
LONGEST_KEY = 3072
"""Bytes of an index; a character has up to 4."""
LONGEST_COMMENT = {"table": 2048, "column": 1024}
"""Characters."""


class MySQL(Database):
    comments = True

    def __init__(self, address: Address, schema: str | None, reader: str | None, patience: float):
        self.connect_options = {"connect_timeout": 10, "read_timeout": 3600, "write_timeout": 600}
        if address.url.password:  # as bytes, since PyMySQL takes a text for Latin-1
            self.connect_options["password"] = str(address.url.password).encode()
        super().__init__(address, schema or address.url.database, reader, patience)
        if not self.schema:
            raise PublishError("the URL names no database: add one, or schema")

    def prepare(self, connection: sa.Connection) -> None:
        wait = max(1, round(self.patience))
        lock = sa.text("select get_lock(:name, :wait)")
        if not connection.execute(lock, {"name": f"firstpass {self.schema}"[:64], "wait": wait}).scalar_one():
            raise PublishError("another publication into it is under way")
        self._wait_for_locks(connection, wait)
        self.execute(connection, "set session sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES')")
        if self.schema not in sa.inspect(connection).get_schema_names():
            self.execute(connection, f"create database {self.quote(self.schema)}")

    def type(self, column: Column, shape: Shape) -> sa.types.TypeEngine:
        """Text as it is: upper and lower case, accents and trailing blanks make a difference, also in a key."""
        if column.type != "VARCHAR":
            return super().type(column, shape)
        mariadb = self.engine.dialect.is_mariadb
        exact = {"charset": "utf8mb4", "collation": "utf8mb4_nopad_bin" if mariadb else "utf8mb4_0900_bin"}
        if column.name in shape.key and _key_fits(shape):
            return mysql.VARCHAR(max(1, shape.longest[column.name]), **exact)
        return mysql.LONGTEXT(**exact)

    def create(self, connection: sa.Connection, shape: Shape) -> sa.Table:
        if shape.key and not _key_fits(shape):
            self.notes.append(f"{shape.table.name} has no key there: its values are longer than {LONGEST_KEY} bytes")
            shape = shape.without_key()
        return super().create(connection, shape.with_comments_up_to(**LONGEST_COMMENT))

    def swap(self, connection: sa.Connection, rows: dict[str, int], there: set[str], gone: set[str]) -> None:
        """The new tables and the end of the old ones are one statement, which takes effect as a whole."""
        self.check_rows(connection, rows)
        leaving = sorted(gone | (rows.keys() & there))
        renames = [(name, name + OLD) for name in leaving] + [(name + NEW, name) for name in rows]
        pairs = ", ".join(f"{self.quoted(old)} to {self.quoted(new)}" for old, new in renames)
        self.grant(connection, list(rows)[-1:], NEW)  # who does not exist is noticed before anything changes
        self._when_nobody_reads(connection, f"rename table {pairs}")
        self.drop(connection, *(name + OLD for name in leaving))
        self.grant(connection, list(rows))
        connection.commit()

    def _wait_for_locks(self, connection: sa.Connection, seconds: int) -> None:
        self.execute(connection, f"set session lock_wait_timeout = {seconds}")

    def _when_nobody_reads(self, connection: sa.Connection, change: str) -> None:
        """Tries until no transaction has one of the tables in use. Raises PublishError.

        Without waiting, which MySQL does not know: if a reader and we wait for each other, the server ends the reader.
        """
        until = time.monotonic() + self.patience
        self._wait_for_locks(connection, 0 if self.engine.dialect.is_mariadb else 1)
        while True:
            try:
                self.execute(connection, change)
                return self._wait_for_locks(connection, max(1, round(self.patience)))
            except sa.exc.OperationalError as error:
                if error.orig.args[0] != LOCK_WAIT_TIMEOUT:
                    raise
            if time.monotonic() > until:
                raise PublishError(f"could not change tables that are in use for {self.patience:.0f} s")
            time.sleep(0.05)


def _key_fits(shape: Shape) -> bool:
    return 4 * sum(shape.longest.values()) + 16 * len(shape.key) <= LONGEST_KEY
