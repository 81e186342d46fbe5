"""Building on Spark: what it needs, and its tables as a file that publish and report read like DuckDB's own.

How to point it at a cluster: docs/scaling.md.
"""

import importlib.util
import json
import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import duckdb

from pipeline.environment import DBT, process_environment
from pipeline.paths import PROJECT, Paths
from publish.quoting import identifier, literal

SCHEMAS = ("marts", "publish")


class SparkMissingError(RuntimeError):
    """Spark can't be run here; the message says what to install."""


def check_installed() -> None:
    """Raises SparkMissingError before dbt would fail on it with a page of Python."""
    if any(importlib.util.find_spec(module) is None for module in ("pyspark", "dbt.adapters.spark")):
        raise SparkMissingError("ENGINE=spark: Spark is not installed; `make setup-spark` installs it")
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=os.path.join(home, "bin") if home else None):
        where = f"in JAVA_HOME ({home})" if home else "on the PATH"
        raise SparkMissingError(
            f"ENGINE=spark: Spark 4 needs Java 17 or newer, and there is none {where}; "
            "on Debian: apt install openjdk-17-jre-headless"
        )


def gather(paths: Paths, manifest: Path) -> None:
    """Writes `paths.warehouse`, a DuckDB file of views on the Parquet files of what Spark built for readers.

    Columns, their types, order and comments are those of the models' contracts, in dbt's `manifest`.
    """
    nodes = json.loads(manifest.read_text())["nodes"].values()
    paths.warehouse.unlink(missing_ok=True)
    with closing(duckdb.connect(str(paths.warehouse))) as connection:
        for schema in SCHEMAS:
            connection.execute(f"create schema {schema}")
        for node in nodes:
            if node["resource_type"] == "model" and node["schema"] in SCHEMAS:
                _gather_table(connection, paths, node)


def _gather_table(connection: duckdb.DuckDBPyConnection, paths: Paths, node: dict) -> None:
    view = identifier(node["schema"], node["name"])
    folder = paths.spark / "tables" / f"{node['schema']}.db" / node["name"]
    columns = node["columns"].values()
    if any(folder.rglob("*.parquet")):
        # a column that came later is missing in older partitions
        options = "hive_partitioning = true, union_by_name = true"
        source = f"read_parquet({literal(folder / '**' / '*.parquet')}, {options})"
    else:
        source = f"(select {', '.join('null as ' + identifier(column['name']) for column in columns)} where false)"
    selected = ", ".join(
        f"cast({identifier(column['name'])} as {column['data_type']}) as {identifier(column['name'])}"
        for column in columns
    )
    connection.execute(f"create view {view} as select {selected} from {source}")
    connection.execute(f"comment on view {view} is {literal(node['description'])}")
    for column in columns:
        connection.execute(f"comment on column {view}.{identifier(column['name'])} is {literal(column['description'])}")


def failing_rows(paths: Paths, test: str, limit: int) -> tuple[list[str], list[tuple]]:
    """Columns and the first rows of what a data test found."""
    shown = subprocess.run(
        [DBT, "show", "--select", test, "--limit", str(limit), "--output", "json", "--quiet"],
        cwd=PROJECT,
        env=process_environment(paths),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    ).stdout
    rows = json.loads(shown)["show"] if shown.lstrip().startswith("{") else []
    return list(rows[0]) if rows else [], [tuple(row.values()) for row in rows]
