"""A table, a view or a query of a database: read whole, or from where a column that rises was when it was read last.

Each reading is an object, whose name says the place and the range. What was loaded before and comes again unchanged is
left out by the loader (`known_in`). How far was read is told by the manifest alone: with a load, its range is there.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

import numpy as np
import sqlalchemy as sa

from ingest.lake import Load
from ingest.source import Batch, Object, Unreachable, Unreadable
from ingest.sources import high_water
from ingest.sources.files import reading_of
from ingest.sources.rows import arrow_table
from pipeline.plant import Plant, SqlSource
from publish.databases.address import Address

BATCH_ROWS = 32_768
"""Fewer than of files: a row of Python values takes ten times the memory of one in Arrow."""
CONNECTION = {
    "postgresql": {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_count": 3, "tcp_user_timeout": 60_000},
    "mysql": {"connect_timeout": 10, "read_timeout": 3600},
}
SESSION = {
    "postgresql": ["set time zone 'UTC'", "set lock_timeout = '60s'"],
    "mysql": ["set session transaction read only", "set session lock_wait_timeout = 60"],
}
CONNECTION["mariadb"], SESSION["mariadb"] = CONNECTION["mysql"], SESSION["mysql"]
EXPECTED = (sa.exc.SQLAlchemyError, OSError, ImportError, TypeError, ValueError, OverflowError)
"""What can go wrong. ImportError: the driver is not installed. TypeError: it does not know an option of the URL."""


def find(plant: Plant, source: SqlSource, loads: list[Load]) -> Iterator[Object]:
    """One object, or with `high_water` that of the next range and that of the rows without a value in the column.

    `loads` is the manifest so far. Raises Unreachable.
    """
    place = _Place(source)
    mine = [it for it in loads if (it.source, it.table_name, it.status) == (source.name, source.table, "loaded")]
    reading = reading_of(plant, source)

    def thing(name: str, condition: sa.ColumnElement | None, needed: bool, known_in: list[Load]) -> Object:
        now = datetime.now(UTC).isoformat()  # whether there is something new is known once it is read
        return Object(
            source=source.name,
            table=source.table,
            name=name,
            version=now,
            digest=hashlib.sha256(f"{name} {now}".encode()).hexdigest,
            batches=partial(place.batches, condition),
            reading=reading,
            known_in=frozenset(load.load_id for load in known_in),
            needed=needed,
        )

    if source.high_water is None:
        yield thing(place.name, None, not mine, mine)
        return
    column, newest = place.high_water()
    series = f"{place.name}: {column.name} "
    ranges = {load.load_id: json.loads(load.object.removeprefix(series)) for load in mine if _is_range(load, series)}
    if newest is not None:
        # A replay has the range of the load that it repeats, and did not read the database
        read = [load for load in mine if load.load_id in ranges and not load.replays]
        spans = [(ranges[load.load_id][1], load.started_at) for load in read]
        with place.explained():
            low = high_water.beginning(newest, spans, source.overlap, reading.timezone)
        condition = column <= high_water.ceiling(newest)
        near = mine
        if low is not None:
            condition &= column >= low
            near = [load for load in mine if _may_reach(ranges.get(load.load_id), low)]
        text = json.dumps([high_water.written(low), high_water.written(newest)], ensure_ascii=False)
        yield thing(series + text, condition, not ranges, near)
    name = f"{series}is null"
    yield thing(name, column.is_(None), newest is None and not any(it.object.startswith(series) for it in mine), mine)


def _is_range(load: Load, series: str) -> bool:
    return load.object.startswith(f"{series}[")


def _may_reach(span: list | None, low: high_water.Mark) -> bool:
    """Whether a load of this range may hold records from `low` on. Text is not compared: see high_water.beginning."""
    highest = None if span is None or isinstance(low, str) else high_water.read(span[1], low)
    return highest is None or highest >= low


class _Place:
    """What a source reads from. Its methods raise Unreachable."""

    def __init__(self, source: SqlSource):
        self.source = source
        self.address = Address(source.url.get_secret_value())
        if source.query is None:
            *schema, table = source.relation.rsplit(".", 1)
            self.rows = sa.table(table, schema=schema[0] if schema else None)
            what = source.relation
        else:
            query = source.query.strip().rstrip(";")
            # A colon is a colon, not the beginning of a parameter; a comment may stand at the end
            self.rows = sa.text(query.replace(":", r"\:") + "\n").columns().subquery("source")
            what = f"query {hashlib.sha256(query.encode()).hexdigest()[:8]}"
        self.name = f"{self.address.name}: {what}"

    def high_water(self) -> tuple[sa.ColumnElement, high_water.Mark | None]:
        """The column and its highest value. None: no row has a value in it."""
        wanted = self.source.high_water
        with self.explained(), self._connected() as connection:
            # Asked for by name, SQLite would take a quoted name that it has not for a text
            names = list(connection.execute(self._select(sa.false())).keys())
            found = [name for name in names if name == wanted] or [it for it in names if it.lower() == wanted.lower()]
            if len(found) != 1:
                raise ValueError(f"high_water: {wanted!r} is not one of its columns: {', '.join(names)}")
            column = sa.column(found[0])
            newest = connection.execute(sa.select(sa.func.max(column)).select_from(self.rows)).scalar_one()
            if newest is not None and not high_water.is_mark(newest):
                raise ValueError(
                    f"high_water: {wanted} has values such as {newest!r}; expected times, dates, whole numbers or text"
                )
        return column, newest

    def batches(self, condition: sa.ColumnElement | None) -> Iterator[Batch]:
        """The rows as the server sends them. Raises Unreadable, too."""
        with self.explained(), self._connected() as connection:
            result = connection.execution_options(yield_per=BATCH_ROWS).execute(self._select(condition))
            names = list(result.keys())
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise Unreadable(f"the column {twice[0]!r} is there twice; name them apart in query")
            first = 1
            for rows in result.partitions():
                yield Batch(arrow_table(names, rows), np.arange(first, first + len(rows), dtype=np.int64))
                first += len(rows)
            if first == 1:
                yield Batch(arrow_table(names, []), np.array([], np.int64))

    def _select(self, condition: sa.ColumnElement | None) -> sa.Select:
        statement = sa.select(sa.literal_column("*")).select_from(self.rows)
        return statement if condition is None else statement.where(condition)

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """Read-only where the database can."""
        url, backend = self.address.url, self.address.backend
        options = {key: value for key, value in CONNECTION.get(backend, {}).items() if key not in url.query}
        if backend in ("mysql", "mariadb") and url.password:  # as bytes, since PyMySQL takes a text for Latin-1
            options["password"] = str(url.password).encode()
        if backend == "sqlite":
            url = url.set(database=f"file:{quote(url.database)}").update_query_dict({"mode": "ro", "uri": "true"})
        engine = sa.create_engine(url, connect_args=options, hide_parameters=True, poolclass=sa.NullPool)
        read_only = {"postgresql_readonly": True} if backend == "postgresql" else {}
        with engine.connect().execution_options(**read_only) as connection:
            for statement in SESSION.get(backend, []):
                connection.exec_driver_sql(statement)
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Says what went wrong, without what the URL holds secret."""
        try:
            yield
        except EXPECTED as error:
            reason = getattr(error, "orig", None) or error
            said = self.address.scrubbed(reason.args[-1] if reason.args else reason)
            keys = ", ".join(key for key in ("url", "from", "query", "high_water") if self._has(key))
            raise Unreachable(self.name, f"can't be read: {said}; check {keys} in plant.yml, and the server") from None

    def _has(self, key: str) -> bool:
        return getattr(self.source, {"from": "relation"}.get(key, key)) is not None
