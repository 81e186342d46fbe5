"""The three summary tables of one Parquet file by engines and data frames: seconds, or that it did not finish."""

import resource
import sys
from pathlib import Path

from bench.measure import measure

PEERS = {
    "DuckDB": ["-m", "bench.databases", "duckdb"],
    "Spark, 2 cores": ["-m", "bench.databases", "spark"],
    "PostgreSQL": ["-m", "bench.databases", "postgresql"],
    "Polars": ["-m", "bench.dataframes", "polars"],
    "pandas": ["-m", "bench.dataframes", "pandas"],
}
LONGEST_S = 1200
MOST_BYTES = 20 * 2**30
"""Address space of a data frame library; it would take the machine with it otherwise."""
Seconds = dict[str, list[float | None]]
"""By peer, of each run, without start-up; None: it did not finish."""


def measure_peers(file: Path, results: Seconds) -> None:
    """Runs each peer once on `file`, in its turn; appends to `results`."""
    for name, command in PEERS.items():
        try:
            cost = measure([*command, str(file)], {}, longest_s=LONGEST_S)
            results[name].append(float(cost.output.split()[-1]))
        except RuntimeError as error:
            print(f"{name} did not finish: {str(error).strip().splitlines()[-1][:200]}", file=sys.stderr)
            results[name].append(None)


def limit_memory() -> None:
    """Of this process: an allocation beyond it raises MemoryError."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
