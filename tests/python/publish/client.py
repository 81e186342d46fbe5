"""Somebody else's program: opens a DuckDB file, runs statements, prints the results as JSON (see conftest.py)."""

import json
import os
import signal
import sys

import duckdb

asked = json.loads(sys.argv[1])
results = []
try:
    connection = duckdb.connect(asked["file"], read_only=asked["read_only"])
    for statement in asked["statements"]:
        try:
            rows = connection.execute(statement).fetchall()
            results.append([[value if isinstance(value, int | float) else str(value) for value in row] for row in rows])
        except duckdb.Error as error:
            results.append(str(error))
except duckdb.Error as error:
    results.append(str(error))
print(json.dumps({"version": duckdb.__version__, "results": results}), flush=True)
if asked["leave"] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
