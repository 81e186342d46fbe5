"""The peer of the dbt build: bench/handwritten.sql on the same lake, and whether both give the same tables.

`python -m bench.handwritten FILE` writes its tables into FILE, compares them with the warehouse of $FIRSTPASS_DATA and
prints the seconds that the script took.
"""

import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb

from pipeline.parity import difference
from pipeline.paths import Paths
from publish.quoting import identifier, literal
from publish.tables import Table, read_tables

SCRIPT = Path(__file__).with_suffix(".sql")
INPUTS = ["test_record", "rework", "disposition", "ref_plant", "ref_routes", "load"]
COMPARED = [
    "test_attempt",
    "module_status",
    "summary_machine",
    "summary_prod_test",
    "summary_prod",
    "station_day",
    "failure_pareto",
]


def run_by_hand(paths: Paths, target: Path) -> float:
    """Runs the script into the new DuckDB file `target`; seconds. Threads are dbt's, memory is more than dbt has: with
    its 4 GB the script does not get through five years."""
    target.unlink(missing_ok=True)
    config = {"threads": 2, "preserve_insertion_order": False, "memory_limit": "6GB", "temp_directory": str(paths.temp)}
    started = time.perf_counter()
    with closing(duckdb.connect(str(target), config=config)) as connection:
        for table in INPUTS:
            files = str(paths.raw / table / "*.parquet").replace("'", "''")
            connection.execute(f"create temp view raw_{table} as from read_parquet('{files}', union_by_name = true)")
        connection.execute(SCRIPT.read_text())
    return time.perf_counter() - started


def differences(paths: Paths, target: Path) -> list[str]:
    """Tables whose common columns differ from the warehouse's marts: any count or text, floats by more than 1e-9."""
    config = {"memory_limit": "8GB", "temp_directory": str(target.parent)}
    with closing(duckdb.connect(config=config)) as connection:
        by_hand, by_dbt = (
            _tables(connection, name, file) for name, file in (("by_hand", target), ("warehouse", paths.warehouse))
        )
        found = {name: difference(connection, *_common(by_hand[name], by_dbt[name])) for name in COMPARED}
    return [f"{name}: {text}" for name, text in found.items() if text]


def _tables(connection: duckdb.DuckDBPyConnection, database: str, file: Path) -> dict[str, Table]:
    """The marts in `file`, by name."""
    connection.execute(f"attach {literal(file)} as {identifier(database)} (read_only)")
    return {table.name: table for table in read_tables(connection, database, "marts")}


def _common(table: Table, model: Table) -> tuple[Table, Table]:
    """Both with the columns that both have, in the model's types."""
    names = {column.name for column in table.columns}
    columns = tuple(column for column in model.columns if column.name in names)
    return replace(table, columns=columns), replace(model, columns=columns)


if __name__ == "__main__":
    seconds = run_by_hand(Paths.from_environment(), Path(sys.argv[1]))
    if different := differences(Paths.from_environment(), Path(sys.argv[1])):
        sys.exit(f"{SCRIPT.name} gives other tables than the models:\n" + "\n".join(different))
    print(seconds)
