"""What a record of each table must look like: `contracts/*.yml`, read and checked.

`CONTRACTS` maps table name to `Contract`, `VOCABULARIES` a vocabulary's name to its values. They are what the loader
enforces, what the lake's schema follows and what docs/data_contract.md is generated from.
"""

from pathlib import Path
from typing import Literal

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, model_validator

FOLDER = Path(__file__).parent / "contracts"
REFERENCE = "ref_"

ARROW_TYPES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}

LOAD_COLUMNS = [
    pa.field("_load_id", pa.string()),
    pa.field("_row", pa.int64()),
    pa.field("_hash", pa.int64()),
    pa.field("_flags", pa.string()),
    pa.field("_extra", pa.string()),
]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Entry):
    """A column of a table. `min` and `max` are inclusive; `values` names a vocabulary."""

    type: Literal["string", "bigint", "double", "boolean", "date", "timestamp"]
    required: bool = False
    min: float | None = None
    max: float | None = None
    values: str | None = None
    delivery: bool = False
    """Says how the record came, not what it is: not part of its `_hash`, by which one that comes again is known."""
    planned: bool = False
    """A timestamp that may lie in the future by nature; others are flagged when they do."""
    example: str | float | None = None
    """On the examples sheet of an operators' form (`ingest.forms`); times as ISO 8601."""
    description: str


class Vocabulary(Entry):
    values: list[str]
    unknown: Literal["reject", "keep"]


class Contract(Entry):
    """A table of records: its columns in the order of the lake."""

    table: str
    description: str
    any_of: list[str] = []
    """Columns of which a record needs at least one."""
    columns: dict[str, Column]

    @model_validator(mode="after")
    def _is_consistent(self) -> "Contract":
        unknown = {c.values for c in self.columns.values() if c.values} - set(VOCABULARIES)
        assert not unknown, f"{self.table}: no vocabulary is named {sorted(unknown)}"
        assert set(self.any_of) <= set(self.columns), f"{self.table}: any_of names a column that is not there"
        return self

    @property
    def required(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.required]

    @property
    def timestamps(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.type == "timestamp"]

    @property
    def schema(self) -> pa.Schema:
        """Of the table in the lake: each timestamp as UTC and as `_local`, then what the loader adds."""
        fields = []
        for name, column in self.columns.items():
            fields.append(pa.field(name, ARROW_TYPES[column.type]))
            if column.type == "timestamp":
                fields.append(pa.field(f"{name}_local", ARROW_TYPES["timestamp"]))
        return pa.schema(fields + LOAD_COLUMNS)


def plain(name: str) -> str:
    """A column's name as names are compared."""
    return name.strip().replace("_", "").casefold()


def _read(name: str) -> dict:
    return yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))


VOCABULARIES = {name: Vocabulary(**entry) for name, entry in _read("vocabularies").items()}
GROUPS = {
    group: {table: Contract(table=table, **entry) for table, entry in _read(group).items()}
    for group in ("tests", "machines", "sensors", "planning", "reference", "machine_time", "calendar")
}
CONTRACTS: dict[str, Contract] = {table: entry for group in GROUPS.values() for table, entry in group.items()}
CALENDAR_TABLES = list(GROUPS["calendar"])
RECORD_TABLES = [table for table in CONTRACTS if not table.startswith(REFERENCE) and table not in CALENDAR_TABLES]


def is_latest_only(table: str) -> bool:
    """Whether the newest load of a table holds all that counts."""
    return table.startswith(REFERENCE) or table in CALENDAR_TABLES
