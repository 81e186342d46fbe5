"""One publication into a database: all tables of the current version, or nothing."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import duckdb
import psycopg
import pyarrow as pa
import sqlalchemy as sa

from pipeline.paths import Paths
from pipeline.targets import DatabaseTarget
from publish.databases.address import Address
from publish.databases.database import NEW, OLD, Database
from publish.databases.mysql import MySQL
from publish.databases.postgresql import PostgreSQL
from publish.databases.shape import measure_shape
from publish.databases.sqlite import SQLite
from publish.databases.state import STATE, STATE_KEY, read_state, state_table
from publish.publication import connect
from publish.quoting import identifier, literal
from publish.tables import Table, read_tables
from publish.versions import MARTS, PublishError, Version

KINDS = {"postgresql": PostgreSQL, "mysql": MySQL, "mariadb": MySQL, "sqlite": SQLite}
BATCH = 20_000
"""Rows in memory at a time."""
PATIENCE = 60.0
SOURCE = "version"
"""Name under which the published file is attached."""
EXPECTED = (sa.exc.SQLAlchemyError, psycopg.Error, duckdb.Error, pa.ArrowException, OSError, ImportError, TypeError)
"""What can go wrong. TypeError: PyMySQL's answer to an option in the URL that it does not know."""


@dataclass(frozen=True)
class Sent:
    """`name` is the database's, for messages; `notes` are what a person should know though all went well."""

    name: str
    tables: dict[str, int]
    """Rows by table."""
    notes: list[str]


def send(
    paths: Paths,
    version: Version,
    target: DatabaseTarget,
    *,
    plant: str,
    keys: dict[str, tuple[str, ...]],
    progress: Callable[[str], None] = lambda text: None,
    patience: float = PATIENCE,
) -> Sent:
    """Writes the tables of the published `version` into `target`; `keys` as read_keys gives them.

    Waits up to `patience` seconds for readers and for another publication. Raises PublishError, one line that names
    the database, the table and the reason, and never what the URL holds; the database has its last version then.
    """
    address = Address(target.url.get_secret_value())
    at = [address.name]
    try:
        kind = KINDS.get(address.backend, Database)
        database = kind(address, target.schema_name, target.reader, patience)
        at = [database.name]
        with closing(connect(paths)) as source, database.engine.connect() as connection:
            source.execute(f"attach {literal(version.folder / MARTS)} as {identifier(SOURCE)} (read_only)")
            tables = _chosen(read_tables(source, SOURCE, "main"), target.tables)
            return _Sending(database, connection, source, progress, at).send(tables, keys, plant, version.id)
    except EXPECTED as error:
        reason = getattr(error, "orig", None) or error
        said = reason.args[-1] if reason.args else reason
        raise PublishError(": ".join([*at, address.scrubbed(said)])) from None
    except PublishError as error:
        raise PublishError(": ".join([*at, address.scrubbed(error)])) from None


def _chosen(tables: list[Table], names: list[str] | None) -> list[Table]:
    if unknown := sorted({*(names or ())} - {table.name for table in tables}):
        raise PublishError(f"tables: {', '.join(unknown)}: not published")
    return [table for table in tables if names is None or table.name in names]


@dataclass
class _Sending:
    database: Database
    connection: sa.Connection
    source: duckdb.DuckDBPyConnection
    progress: Callable[[str], None]
    at: list[str]
    """Where in the work it is: the database, then the table."""

    def send(self, tables: list[Table], keys: dict[str, tuple[str, ...]], plant: str, version: str) -> Sent:
        self.progress(f"{self.database.name}: connecting")
        self.database.prepare(self.connection)
        there = self.database.names(self.connection)
        held = read_state(self.database, self.connection, there, plant)
        names = {table.name for table in tables}
        if held.keys() == names <= there and {row["version"] for row in held.values()} == {version}:
            return Sent(self.database.name, {name: row["row_count"] for name, row in held.items()}, [])
        if foreign := sorted(names & there - held.keys()):
            raise PublishError(f"{', '.join(foreign)}: there already, but not from Firstpass: name another schema")
        leftovers = {name + end for name in {*names, *held, STATE} for end in (NEW, OLD)} & there
        self.database.drop(self.connection, *sorted(leftovers))
        rows = {table.name: self._write(table, keys.get(table.name, ())) for table in tables}
        gone = self.database.removable(self.connection, held.keys() - names & there)
        left = [row for name, row in held.items() if name in there - gone - names]
        state = state_table(self.source, rows, left, plant, version)
        rows[STATE] = self._write(state, STATE_KEY)
        self.progress(f"{self.database.name}: changing {len(tables)} tables")
        self.database.swap(self.connection, rows, there, gone)
        del rows[STATE]
        return Sent(self.database.name, rows, self.database.notes)

    def _write(self, table: Table, key: tuple[str, ...]) -> int:
        """Writes the table beside the one that is there; its number of rows."""
        self.at.append(table.name)
        database, place = self.database, f"{self.database.name}: {table.name}"
        self.progress(place)
        conditions = {column.name: database.unfit(column) for column in table.columns}
        shape = measure_shape(self.source, table, key, {name: test for name, test in conditions.items() if test})
        for name, count in shape.unfit.items():
            database.notes.append(f"{table.name}.{name}: {count:,} values changed: {database.replacement}")
        columns = ", ".join(database.fitted(column) for column in table.columns)
        batches = self.source.execute(f"select {columns} from {table.relation}").to_arrow_reader(BATCH)
        database.write(self.connection, shape, batches, lambda rows: self.progress(f"{place}: {rows:,} rows"))
        self.at.pop()
        return shape.rows
