"""A database that gets the published tables, spoken to through SQLAlchemy: what is the same for every kind.

Each table is written beside the one that is there, as `<table>__new`, and all change places in `swap`. Rows go in
batches of a transaction each; a kind of database that can do better says so in a class of its own.
"""

import secrets
from collections.abc import Callable

import pyarrow as pa
import sqlalchemy as sa

from publish.databases.address import Address
from publish.databases.shape import MOMENTS, Shape, column_type
from publish.measures import FLOATS
from publish.quoting import identifier
from publish.tables import Column
from publish.versions import PublishError

NEW, OLD = "__new", "__old"


class Database:
    connect_options: dict = {}
    comments = False
    """Whether tables and columns have comments."""
    replacement = "NULL, for want of what they are"
    """What is written in place of values that it can't hold."""

    def __init__(self, address: Address, schema: str | None, reader: str | None, patience: float):
        """`patience`: seconds to wait for whoever reads or writes the tables. Raises ImportError without the driver."""
        self.address, self.schema, self.reader, self.patience = address, schema, reader, patience
        self.notes: list[str] = []
        """What a person should know though it is no failure."""
        options = {key: value for key, value in self.connect_options.items() if key not in address.url.query}
        # without parameters and pool: no row in an error, no connection that outlives its use
        self.engine = sa.create_engine(address.url, connect_args=options, hide_parameters=True, poolclass=sa.NullPool)
        self.quote = self.engine.dialect.identifier_preparer.quote_identifier

    @property
    def name(self) -> str:
        return self.address.name + (f", schema {self.schema}" if self.schema else "")

    def prepare(self, connection: sa.Connection) -> None:
        """Before anything else: settings, the schema, and a lock against another publication."""

    def names(self, connection: sa.Connection) -> set[str]:
        """Tables and views of the schema."""
        inspector = sa.inspect(connection)
        return {*inspector.get_table_names(self.schema), *inspector.get_view_names(self.schema)}

    def quoted(self, name: str) -> str:
        """A table's name in the schema, as part of a statement."""
        return f"{self.quote(self.schema)}.{self.quote(name)}" if self.schema else self.quote(name)

    def execute(self, connection: sa.Connection, statement: str) -> sa.CursorResult:
        return connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def unfit(self, column: Column) -> str | None:
        """Condition, in DuckDB, of values that the database can't hold; NULL is written instead of those."""
        name = identifier(column.name)
        if column.type in FLOATS:
            return f"not isfinite({name})"
        if column.type in MOMENTS:  # Python's years
            return f"(not isfinite({name}) or year({name}) not between 1 and 9999)"
        return None

    def fitted(self, column: Column) -> str:
        """The column in DuckDB's SQL, each value one that the database can hold."""
        condition, name = self.unfit(column), identifier(column.name)
        return f"case when not {condition} then {name} end as {name}" if condition else name

    def column(self, column: Column, shape: Shape) -> sa.Column:
        key = column.name in shape.key and not shape.key_has_null
        return sa.Column(
            column.name,
            self.type(column, shape),
            primary_key=key,
            autoincrement=False,
            nullable=not key,
            comment=column.comment if self.comments else None,
        )

    def type(self, column: Column, shape: Shape) -> sa.types.TypeEngine:
        return column_type(column)

    def create(self, connection: sa.Connection, shape: Shape) -> sa.Table:
        """The empty `<table>__new`, with its key: a primary key, or, where a part of it may be NULL, a unique index."""
        table = sa.Table(
            shape.table.name + NEW,
            sa.MetaData(),
            *(self.column(column, shape) for column in shape.table.columns),
            schema=self.schema,
            comment=shape.table.comment if self.comments else None,
        )
        if shape.key and shape.key_has_null:
            sa.Index(self.index_name(shape), *(table.c[name] for name in shape.key), unique=True)
        table.create(connection)
        return table

    def index_name(self, shape: Shape) -> str:
        """A new one each time: where indexes are named by schema, that of the table which is there still exists."""
        return f"{shape.table.name}_{secrets.token_hex(4)}"

    def write(
        self, connection: sa.Connection, shape: Shape, batches: pa.RecordBatchReader, wrote: Callable[[int], None]
    ) -> None:
        """Makes and fills `<table>__new`; `wrote` gets the number of rows so far."""
        table = self.create(connection, shape)
        done = 0
        for batch in batches:
            if rows := batch.to_pylist():
                connection.execute(table.insert(), rows)
            self.pause(connection)
            done += len(rows)
            wrote(done)

    def pause(self, connection: sa.Connection) -> None:
        """Between two parts of the work: ends the transaction, so that others wait no longer than that."""
        connection.commit()

    def drop(self, connection: sa.Connection, *names: str) -> None:
        for name in names:
            self.execute(connection, f"drop table {self.quoted(name)}")

    def removable(self, connection: sa.Connection, names: set[str]) -> set[str]:
        """Of tables that are no longer published, those that may be dropped."""
        return names

    def check_rows(self, connection: sa.Connection, rows: dict[str, int]) -> None:
        """Raises PublishError where `<table>__new` does not have its number of rows."""
        for name, expected in rows.items():
            query = sa.select(sa.func.count()).select_from(sa.table(name + NEW, schema=self.schema))
            found = connection.execute(query).scalar_one()
            if found != expected:
                raise PublishError(f"table {name} has {found} rows after writing, expected {expected}")

    def swap(self, connection: sa.Connection, rows: dict[str, int], there: set[str], gone: set[str]) -> None:
        """Every `<table>__new` takes the place of its table (`rows`: by table); those in `gone` are dropped."""
        self.check_rows(connection, rows)
        self.drop(connection, *sorted(gone), *(name for name in rows if name in there))
        for name in rows:
            self.rename(connection, name + NEW, name)
        self.grant(connection, list(rows))
        connection.commit()

    def rename(self, connection: sa.Connection, old: str, new: str) -> None:
        self.execute(connection, f"alter table {self.quoted(old)} rename to {self.quote(new)}")

    def grant(self, connection: sa.Connection, names: list[str], end: str = "") -> None:
        if self.reader:
            for name in names:
                self.execute(connection, f"grant select on {self.quoted(name + end)} to {self.quote(self.reader)}")
