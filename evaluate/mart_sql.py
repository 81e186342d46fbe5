"""The marts' own SQL, as dbt compiles it, on tables for which no plant has to be built."""

import json
import subprocess
import tempfile
from pathlib import Path

import duckdb

from evaluate import EvaluationError
from pipeline.environment import DBT, process_environment
from pipeline.paths import PROJECT, Paths


def compiled(*models: str) -> dict[str, tuple[str, str]]:
    """Of each of `models`, in this order: the relation that dbt would write, and the SQL that makes it, for DuckDB."""
    with tempfile.TemporaryDirectory() as folder:
        paths = Paths(Path(folder))
        asked = [DBT, "--log-level-file", "none", "compile", "--quiet", "--select", *models]
        done = subprocess.run(
            asked, cwd=PROJECT, env=process_environment(paths), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise EvaluationError(f"dbt could not compile {' '.join(models)}:\n{done.stdout}{done.stderr}")
        nodes = json.loads((paths.target / "manifest.json").read_text())["nodes"].values()
    found = {node["name"]: (node["relation_name"], node["compiled_code"]) for node in nodes if node["name"] in models}
    return {name: found[name] for name in models}


def warehouse() -> duckdb.DuckDBPyConnection:
    """An empty warehouse in memory, in which the relations of compiled models have their names."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as warehouse; use warehouse")
    for schema in ("intermediate", "marts"):
        connection.execute(f"create schema {schema}")
    return connection
