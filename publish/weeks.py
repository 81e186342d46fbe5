"""Which weeks of the detail tables a published version holds as the warehouse has them now.

The warehouse notes for each week which build wrote it last (macros/note_weeks.sql), and a version keeps the notes of
its time in `weeks.json`: a week whose note is the same is the same. Nothing depends on the order of builds or versions:
it makes no difference which version one goes on from, how many nights failed in between, or whether the warehouse is a
new one. Where a note is missing, a week is taken to be changed.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from publish.quoting import identifier, literal
from publish.tables import Table
from publish.versions import MARTS

WEEKS = "weeks.json"
LARGEST = 1.15
"""How many times as large as when it was written whole, row for row, a file may become by going on from it."""


@dataclass(frozen=True)
class Week:
    """A load week of a detail table, or a day of one of sensors: its first day, its rows, and the build that wrote it
    last, None where unknown."""

    start: date | None
    rows: int
    build: str | None


Weeks = dict[str, dict[str | None, Week]]
"""By table and load week."""
Kept = dict[str, frozenset[str]]
"""By table, the load weeks that need not be written again."""


@dataclass(frozen=True)
class Contents:
    """What a version says of itself: bytes per row of its file when it was last written whole, detail tables."""

    bytes_per_row: float
    columns: dict[str, list]
    weeks: Weeks


def count(weeks: Weeks) -> int:
    """Their rows."""
    return sum(week.rows for each in weeks.values() for week in each.values())


def read_weeks(connection: duckdb.DuckDBPyConnection, warehouse: str, tables: list[Table]) -> Weeks:
    """The weeks of the detail tables among `tables`, with what the attached `warehouse` noted of them.

    Rows are counted in the weekly model where that is there: the same rows, without the joins of a view on it.
    """
    query = f"select table_name, schema_name from duckdb_tables() where database_name = {literal(warehouse)}"
    schemas = dict(connection.execute(query).fetchall())
    notes = _read_notes(connection, warehouse) if schemas.get("week") == "ops" else {}
    weeks: Weeks = {}
    for table in tables:
        if table.is_partitioned:
            model = table.detail.model
            relation = identifier(warehouse, schemas[model], model) if model in schemas else table.relation
            start = table.detail.start if table.has_starts else "null"
            found = connection.execute(  # by one column: by two takes twice as long
                f"select cast({table.detail.label} as varchar), min({start}), count(*),"
                f" min({start}) = max({start}) and count({start}) = count(*) from {relation} group by 1 order by 1"
            ).fetchall()
            weeks[table.name] = _noted(found, notes.get(model, {}))
    return weeks


def _read_notes(connection: duckdb.DuckDBPyConnection, warehouse: str) -> dict[str, dict[date | None, str]]:
    """By model and week, what ops.week says; None is the week of all that have no row of their own."""
    notes: dict[str, dict[date | None, str]] = {}
    for model, start, build in connection.execute(
        "select model, week_start, string_agg(distinct build, ' ' order by build)"
        f" from {identifier(warehouse, 'ops', 'week')} group by all"
    ).fetchall():
        notes.setdefault(model, {})[start] = build
    return notes


def _noted(found: list[tuple], notes: dict[date | None, str]) -> dict[str | None, Week]:
    """Weeks of rows (label, start, rows, whether all have that start). Where label and start are not one to one, no
    week's build is known."""
    starts = {start for _, start, _, _ in found}
    is_clear = len(starts) == len(found) and all(one for label, _, _, one in found if label is not None)
    return {
        label: Week(start, rows, notes.get(start, notes.get(None)) if is_clear and label and start else None)
        for label, start, rows, _ in found
    }


def kept(tables: list[Table], now: Weeks, then: Contents) -> Kept:
    """The weeks that a version with the contents `then` holds as they are `now`, by table."""
    same = {}
    for table in tables:
        if table.is_partitioned and then.columns.get(table.name) == described(table):
            old = then.weeks[table.name]
            same[table.name] = frozenset(
                label for label, week in now[table.name].items() if week.build is not None and old.get(label) == week
            )
    return same


def unnoted(now: Weeks, then: Contents) -> str | None:
    """A week whose number of rows changed though no build says that it wrote it: then no note is to be trusted."""
    for name, weeks in now.items():
        for label, week in weeks.items():
            old = then.weeks.get(name, {}).get(label)
            if old and week.build and (old.start, old.build) == (week.start, week.build) and old.rows != week.rows:
                return f"{name} {label} had {old.rows} rows and has {week.rows}, though no build wrote it"
    return None


def described(table: Table) -> list:
    """Its comment and its columns, as JSON gives them back."""
    return [table.comment, [[column.name, column.type, column.comment] for column in table.columns]]


def write_contents(folder: Path, tables: list[Table], weeks: Weeks, bytes_per_row: float | None) -> None:
    """Writes `weeks.json` into a version's folder; `bytes_per_row` is None where the file was written whole."""
    size = (folder / MARTS).stat().st_size
    text = {
        "bytes": size,
        "bytes_per_row": size / max(count(weeks), 1) if bytes_per_row is None else bytes_per_row,
        "columns": {table.name: described(table) for table in tables if table.name in weeks},
        "weeks": {
            name: [[label, week.start and str(week.start), week.rows, week.build] for label, week in each.items()]
            for name, each in weeks.items()
        },
    }
    (folder / WEEKS).write_text(json.dumps(text) + "\n", encoding="utf-8")


def read_contents(folder: Path) -> Contents | None:
    """What the version in `folder` holds; None where it does not say so, or its file is not the one it speaks of."""
    try:
        text = json.loads((folder / WEEKS).read_text(encoding="utf-8"))
        weeks = {
            name: {label: Week(start and date.fromisoformat(start), rows, build) for label, start, rows, build in each}
            for name, each in text["weeks"].items()
        }
        if (folder / MARTS).stat().st_size != text["bytes"]:
            return None
        return Contents(text["bytes_per_row"], text["columns"], weeks)
    except (OSError, ValueError, KeyError, TypeError):
        return None
