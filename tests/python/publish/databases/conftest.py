"""A database of each kind, empty, and the published file beside it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from bench.database_servers import PASSWORD, Server, engine_of
from pipeline.targets import DatabaseTarget
from publish import publish
from publish.databases import Sent, send

KEYS = {
    "test_attempt": ("serial_num", "test_timestamp"),
    "module_status": ("serial_num",),
    "report_weeks": ("load_week",),
    "nasty": ("id",),
}


@dataclass
class Place:
    """A database that is published into. `schema` is None in SQLite."""

    kind: str
    url: sa.URL
    schema: str | None
    server: Server | None
    settings: dict = field(default_factory=dict)

    @property
    def engine(self) -> sa.Engine:
        return engine_of(self.url)

    def target(self, **settings) -> DatabaseTarget:
        schema = {"schema": self.schema} if self.schema else {}
        url = self.url.render_as_string(hide_password=False)
        return DatabaseTarget(**({"kind": "database", "url": url} | schema | self.settings | settings))

    def name(self, table: str) -> str:
        return f"{self.schema}.{table}" if self.schema else table

    def execute(self, statement: str, user: str | None = None) -> list[tuple]:
        url = self.url.set(username=user) if user else self.url
        with engine_of(url).begin() as connection:
            found = connection.exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

    def rows(self, table: str) -> list[tuple]:
        """As values of the types that the database says its columns have."""
        with self.engine.connect() as connection:
            reflected = sa.Table(table, sa.MetaData(), schema=self.schema, autoload_with=connection)
            for column in reflected.columns:
                if isinstance(column.type, sa.Double):  # MySQL's would be read as decimals of ten places
                    column.type = sa.Double(asdecimal=False)
            return [tuple(row) for row in connection.execute(sa.select(reflected))]

    def tables(self) -> list[str]:
        return sorted(sa.inspect(self.engine).get_table_names(self.schema))

    def marks(self) -> set:
        """The builds that readers see, over all tables."""
        tables = ("test_attempt", "module_status", "report_weeks")
        return {mark for table in tables for (mark,) in self.execute(f"select distinct build from {self.name(table)}")}


def place_in(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if kind == "sqlite":
        return Place(kind, sa.URL.create("sqlite", database=str(tmp_path / "marts.db")), None, None)
    server, schema = request.getfixturevalue(kind), f"marts_{secrets.token_hex(4)}"
    database = "plant" if kind == "postgresql" else None
    return Place(kind, server.url.set(username="publisher", password=PASSWORD, database=database), schema, server)


@pytest.fixture(params=["postgresql", "mariadb", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_in(request.param, request, tmp_path)


@pytest.fixture
def in_postgresql(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_in("postgresql", request, tmp_path)


@pytest.fixture
def in_mariadb(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_in("mariadb", request, tmp_path)


@pytest.fixture
def in_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_in("sqlite", request, tmp_path)


@pytest.fixture
def publish_into(paths, build) -> Callable[..., Sent]:
    """publish_into(place, mark, *statements): builds, changes the warehouse with the statements, publishes, sends."""

    def publish_and_send(
        place: Place, mark: int, *statements: str, rows: int = 4000, patience=20.0, **settings
    ) -> Sent:
        build(mark, rows)
        with duckdb.connect(paths.warehouse) as warehouse:
            for statement in statements:
                warehouse.execute(statement)
        version = publish(paths)
        return send(paths, version, place.target(**settings), plant="p1", keys=KEYS, patience=patience)

    return publish_and_send
