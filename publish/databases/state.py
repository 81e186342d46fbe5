"""The table `firstpass_version`, in which a database says what it holds."""

from datetime import UTC, datetime

import duckdb
import sqlalchemy as sa

from publish.databases.database import Database
from publish.quoting import identifier, literal
from publish.tables import Table, read_tables
from publish.versions import ID_FORMAT, PublishError

STATE, STATE_KEY = "firstpass_version", ("table_name",)
COLUMNS = {
    "table_name": ("varchar", "Table of this schema that every publication replaces."),
    "version": ("varchar", "Version that the table holds."),
    "published_at": ("timestamp", "When that version was made, in UTC."),
    "row_count": ("bigint", "Rows of the table."),
    "plant": ("varchar", "Plant that the figures are of."),
}


def read_state(database: Database, connection: sa.Connection, there: set[str], plant: str) -> dict[str, dict]:
    """Rows of the state by table; none where the table is not `there`. Raises PublishError for another plant's."""
    if STATE not in there:
        return {}
    state = sa.table(STATE, *(sa.column(name) for name in COLUMNS if name != "published_at"), schema=database.schema)
    held = {row["table_name"]: dict(row) for row in connection.execute(sa.select(state)).mappings()}
    if other := sorted({row["plant"] for row in held.values()} - {plant}):
        raise PublishError(f"holds the plant {', '.join(other)}: give {plant} a schema or database of its own")
    return held


def state_table(
    source: duckdb.DuckDBPyConnection, rows: dict[str, int], left: list[dict], plant: str, version: str
) -> Table:
    """The new state, as a table of DuckDB's memory; `left` are the rows of tables that stay as they were."""
    held = [(name, version, count) for name, count in rows.items()]
    held += [(row["table_name"], row["version"], row["row_count"]) for row in left]
    definition = ", ".join(f"{identifier(name)} {kind}" for name, (kind, _) in COLUMNS.items())
    source.execute(f"create table memory.main.{STATE} ({definition})")
    for name, made, count in held:
        at = datetime.strptime(made, ID_FORMAT).replace(tzinfo=UTC).replace(tzinfo=None)
        values = ", ".join(map(literal, (name, made, at, count, plant)))
        source.execute(f"insert into memory.main.{STATE} values ({values})")
    source.execute(f"comment on table memory.main.{STATE} is 'One row per table: what Firstpass wrote here.'")
    for name, (_, comment) in COLUMNS.items():
        source.execute(f"comment on column memory.main.{STATE}.{name} is {literal(comment)}")
    (table,) = read_tables(source, "memory", "main")
    return table
