"""The peer of the dbt build: bench/handwritten.sql on the same lake, and whether both give the same tables.

`python -m bench.handwritten FILE` writes its tables into FILE, compares them with the warehouse of $FIRSTPASS_DATA and
prints the seconds that the script took.
"""

import sys
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd

from pipeline.paths import Paths

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
    """Runs the script into the new DuckDB file `target`; seconds."""
    target.unlink(missing_ok=True)
    started = time.perf_counter()
    with closing(duckdb.connect(str(target), config={"threads": 2, "preserve_insertion_order": False})) as connection:
        for table in INPUTS:
            files = str(paths.raw / table / "*.parquet").replace("'", "''")
            connection.execute(f"create temp view raw_{table} as from read_parquet('{files}', union_by_name = true)")
        connection.execute(SCRIPT.read_text())
    return time.perf_counter() - started


def differences(paths: Paths, target: Path) -> list[str]:
    """Tables whose common columns differ from the warehouse's marts: any count or text, floats by more than 1e-9."""
    found = []
    with closing(duckdb.connect()) as connection:
        connection.execute(f"attach '{target}' as by_hand (read_only)")
        connection.execute(f"attach '{paths.warehouse}' as warehouse (read_only)")
        for table in COMPARED:
            columns = connection.sql(
                "select column_name from duckdb_columns() a"
                " join duckdb_columns() b using (schema_name, table_name, column_name)"
                f" where a.database_name = 'by_hand' and b.database_name = 'warehouse' and table_name = '{table}'"
                # so that sorting by all columns puts equal keys beside each other
                " order by a.data_type = 'DOUBLE', column_name"
            ).fetchall()
            names = ", ".join(name for (name,) in columns)
            by_hand, by_dbt = (
                connection.sql(f"select {names} from {side}.marts.{table} order by all").df()
                for side in ("by_hand", "warehouse")
            )
            try:
                pd.testing.assert_frame_equal(by_hand, by_dbt, rtol=1e-9, check_dtype=False)
            except AssertionError as error:
                found.append(f"{table}: {error}")
    return found


if __name__ == "__main__":
    seconds = run_by_hand(Paths.from_environment(), Path(sys.argv[1]))
    if different := differences(Paths.from_environment(), Path(sys.argv[1])):
        sys.exit(f"{SCRIPT.name} gives other tables than the models:\n" + "\n".join(different))
    print(seconds)
