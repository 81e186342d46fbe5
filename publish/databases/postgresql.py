"""PostgreSQL: COPY, and everything in one transaction, so that a publication that is killed leaves nothing behind.

The new tables are written frozen: a reader whose transaction began before the publication and reaches a table after
it sees the new rows, and not, as PostgreSQL otherwise has it, an empty table.
"""

import io
import time
from collections.abc import Callable

import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa
from psycopg.errors import LockNotAvailable

from publish.databases.address import Address
from publish.databases.database import NEW, Database
from publish.databases.shape import Shape
from publish.quoting import identifier
from publish.tables import Column
from publish.versions import PublishError

SETTINGS = {"client_encoding": "'UTF8'", "statement_timeout": 0, "idle_in_transaction_session_timeout": 0}
ONE_TRY = "500ms"
"""How long a try for the locks makes new readers wait, per table. Below a second, after which PostgreSQL looks for
deadlocks: it might end the reader."""
CSV = pa.csv.WriteOptions(include_header=False, quoting_style="all_valid")
"""NULL is nothing, an empty text is two quotes; so COPY has it too."""

STANDING_ON_IT = """
    select distinct cast(cast(pg_rewrite.ev_class as regclass) as text)
    from pg_depend join pg_rewrite on pg_rewrite.oid = pg_depend.objid
    where pg_depend.classid = cast('pg_rewrite' as regclass) and pg_depend.refclassid = cast('pg_class' as regclass)
        and pg_depend.refobjid = to_regclass(:name) and pg_rewrite.ev_class <> pg_depend.refobjid
    order by 1
"""
COLUMNS = """
    select attname, format_type(atttypid, atttypmod) from pg_attribute
    where attrelid = to_regclass(:name) and attnum > 0 and not attisdropped order by attnum
"""
READERS = """
    select distinct pid, usename, cast(relation as regclass)
    from pg_locks join pg_stat_activity using (pid)
    where relation = any(cast(:names as regclass[])) and granted and pid <> pg_backend_pid() order by 1 limit 3
"""


class PostgreSQL(Database):
    comments = True
    replacement = "the NUL characters in them are now U+FFFD"
    connect_options = {
        "connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
        "tcp_user_timeout": 60_000, "application_name": "firstpass",
    }  # fmt: skip

    def __init__(self, address: Address, schema: str | None, reader: str | None, patience: float):
        super().__init__(address, schema or "marts", reader, patience)
        self.kept: set[str] = set()
        """Tables that views stand on: they get new rows, but stay."""

    def prepare(self, connection: sa.Connection) -> None:
        for setting, value in SETTINGS.items():
            self.execute(connection, f"set local {setting} = {value}")
        self.execute(connection, f"set local lock_timeout = '{round(self.patience * 1000)}ms'")
        try:
            alone = sa.text("select pg_advisory_xact_lock(hashtext('firstpass'), hashtext(:schema))")
            connection.execute(alone, {"schema": self.schema})
        except sa.exc.OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):
                raise PublishError("another publication into it is under way") from None
            raise
        if not sa.inspect(connection).has_schema(self.schema):
            self.execute(connection, f"create schema {self.quote(self.schema)}")
        if self.reader:
            self.execute(connection, f"grant usage on schema {self.quote(self.schema)} to {self.quote(self.reader)}")

    def unfit(self, column: Column) -> str | None:
        """It holds NaN and infinity, and every text but one with a NUL character."""
        return f"contains({identifier(column.name)}, chr(0))" if column.type == "VARCHAR" else None

    def fitted(self, column: Column) -> str:
        """As text, which COPY reads."""
        name = identifier(column.name)
        return f"replace(cast({name} as varchar), chr(0), chr(65533)) as {name}"

    def pause(self, connection: sa.Connection) -> None:
        """Nothing: all is one transaction."""

    def column(self, column: Column, shape: Shape) -> sa.Column:
        """Without the key, which is made when the rows are there: one sort, not a search per row."""
        plain = super().column(column, shape)
        return sa.Column(plain.name, plain.type, comment=plain.comment)

    def write(
        self, connection: sa.Connection, shape: Shape, batches: pa.RecordBatchReader, wrote: Callable[[int], None]
    ) -> None:
        name, new = shape.table.name, shape.table.name + NEW
        table = self.create(connection, shape.without_key())
        if views := self._standing_on(connection, name):
            if self._columns(connection, name) != self._columns(connection, new):
                raise PublishError(
                    f"its columns changed, but {', '.join(views)} stands on it: drop that, and create it again after "
                    "the next run"
                )
            self.kept.add(name)
            self.drop(connection, new)
            self.execute(connection, f"delete from {self.quoted(name)}")
            self._copy(connection, name, "csv", batches, wrote)
            self._comment(connection, table.to_metadata(sa.MetaData(), name=name))
            return
        self._copy(connection, new, "csv, freeze", batches, wrote)
        if shape.key:
            columns = ", ".join(self.quote(column) for column in shape.key)
            key, target = self.quote(new + "_key"), self.quoted(new)
            self.execute(
                connection,
                f"create unique index {key} on {target} ({columns})"
                if shape.key_has_null
                else f"alter table {target} add constraint {key} primary key ({columns})",
            )
        self.execute(connection, f"analyze {self.quoted(new)}")

    def _copy(self, connection, name: str, how: str, batches: pa.RecordBatchReader, wrote: Callable[[int], None]):
        done = 0
        with (
            connection.connection.driver_connection.cursor() as cursor,
            cursor.copy(f"copy {self.quoted(name)} from stdin (format {how})") as copy,
        ):
            for batch in batches:
                text = io.BytesIO()
                pa.csv.write_csv(batch, text, CSV)
                copy.write(text.getbuffer())
                done += len(batch)
                wrote(done)

    def _comment(self, connection: sa.Connection, table: sa.Table) -> None:
        for element, comment in [
            (table, sa.schema.SetTableComment),
            *((c, sa.schema.SetColumnComment) for c in table.c),
        ]:
            connection.execute(comment(element))

    def _standing_on(self, connection: sa.Connection, name: str) -> list[str]:
        """Views, by name, that would be broken if the table were dropped."""
        return list(connection.execute(sa.text(STANDING_ON_IT), {"name": self.quoted(name)}).scalars())

    def _columns(self, connection: sa.Connection, name: str) -> list[tuple]:
        return [tuple(row) for row in connection.execute(sa.text(COLUMNS), {"name": self.quoted(name)})]

    def removable(self, connection: sa.Connection, names: set[str]) -> set[str]:
        stay = {name: views for name in sorted(names) if (views := self._standing_on(connection, name))}
        for name, views in stay.items():
            self.notes.append(f"{name} is no longer published, and stays as it was: {', '.join(views)} stands on it")
        return names - stay.keys()

    def swap(self, connection: sa.Connection, rows: dict[str, int], there: set[str], gone: set[str]) -> None:
        fresh = {name: count for name, count in rows.items() if name not in self.kept}
        leaving = sorted(gone | (fresh.keys() & there))
        self.check_rows(connection, fresh)
        self._lock(connection, leaving)
        self.drop(connection, *leaving)
        for name in fresh:
            self.rename(connection, name + NEW, name)
            key, final = (self.quote(part) for part in (name + NEW + "_key", name + "_key"))
            self.execute(connection, f"alter index if exists {self.quote(self.schema)}.{key} rename to {final}")
        self.grant(connection, list(rows))
        connection.commit()

    def _lock(self, connection: sa.Connection, names: list[str]) -> None:
        """Takes the tables away from readers for the moment of the change, in short tries. Raises PublishError."""
        if not names:
            return
        tables = [self.quoted(name) for name in names]
        self.execute(connection, f"set local lock_timeout = '{ONE_TRY}'")
        until = time.monotonic() + self.patience
        while True:
            try:
                with connection.begin_nested():
                    return self.execute(connection, f"lock table {', '.join(tables)} in access exclusive mode")
            except sa.exc.OperationalError as error:
                if not isinstance(error.orig, LockNotAvailable):
                    raise
            if time.monotonic() > until:
                found = connection.execute(sa.text(READERS), {"names": tables}).all()
                who = ", ".join(f"{name} by {user} (process {pid})" for pid, user, name in found)
                raise PublishError(f"could not change tables that are in use for {self.patience:.0f} s: {who}")
            time.sleep(1)
