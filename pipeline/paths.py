"""Where state lives: everything a run writes is under one directory.

`$FIRSTPASS_DATA` names it (default `data/` in the project); nothing outside it is ever written. What of it can be made
again: docs/operations.md.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


ENGINES = ("duckdb", "spark")


class PathError(ValueError):
    """A data directory or an engine that can't be used; the message is one line."""


@dataclass(frozen=True)
class Paths:
    """The folders of one plant's state. `data` is absolute. Both engines share the lake and what is published."""

    data: Path
    engine: str = "duckdb"

    def __post_init__(self) -> None:
        """Raises PathError for a directory that Spark can't be told: its options and statements quote nothing."""
        if self.engine == "spark" and re.search(r"[\s'\"`\\]", str(self.data)):
            raise PathError(
                f"FIRSTPASS_DATA: '{self.data}': Spark expects a path without blanks, quotes and backslashes"
            )

    @classmethod
    def from_environment(cls) -> "Paths":
        """By $FIRSTPASS_DATA and $ENGINE. Raises PathError where the path would be read as a pattern."""
        data = Path(os.environ.get("FIRSTPASS_DATA") or PROJECT / "data").expanduser().absolute()
        if any(character in "*?[" for character in str(data)):
            raise PathError(f"FIRSTPASS_DATA: '{data}': expected a path without * ? and [")
        engine = os.environ.get("ENGINE") or "duckdb"
        if engine not in ENGINES:
            raise PathError(f"ENGINE: '{engine}': expected {' or '.join(ENGINES)}")
        return cls(data, engine)

    @property
    def raw(self) -> Path:
        """The lake: `raw/<table>/<load_id>.parquet`, the manifest in `raw/load/`, rejects in `raw/reject/`."""
        return self.data / "lake" / "raw"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that dbt builds; on Spark, one of views on the tables that dbt builds there.

        Nobody reads it but the pipeline; it can be rebuilt from the lake.
        """
        return self.data / "warehouse.duckdb" if self.engine == "duckdb" else self.spark / "warehouse.duckdb"

    @property
    def spark(self) -> Path:
        """Spark's tables (`tables/<schema>.db/<table>/`) and the catalog that knows them."""
        return self.data / "spark"

    @property
    def landing(self) -> Path:
        """What live sources brought and no run has loaded: `<source>/<segment>`, with the status of the consumer."""
        return self.data / "landing"

    @property
    def alerts(self) -> Path:
        """Readings beyond their sensor's limits, as they came: `<day>.jsonl`, a line each."""
        return self.data / "alerts"

    @property
    def failed(self) -> Path:
        """Objects that could not be read at all, each with its reason beside it."""
        return self.data / "failed"

    @property
    def attempts(self) -> Path:
        """How the last attempt on each source went."""
        return self.data / "attempts"

    @property
    def templates(self) -> Path:
        """Blank forms for operators, as `make template` wrote them last."""
        return self.data / "templates"

    @property
    def returned(self) -> Path:
        """Filled forms with rows that could not be loaded: copies for their authors, the wrong cells marked."""
        return self.data / "returned"

    @property
    def published(self) -> Path:
        return self.data / "published"

    @property
    def target(self) -> Path:
        return self.data / "target"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def temp(self) -> Path:
        """DuckDB spills here; emptied at will."""
        return self.data / "temp"

    @property
    def fetched(self) -> Path:
        """A remote object while it is loaded; emptied by the next load, and when ingest begins and ends."""
        return self.temp / "fetched"
