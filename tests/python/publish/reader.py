"""A dashboard: opens the published file, reads the build's mark from two tables, closes it, until it is told to stop.

usage: reader.py FILE STOP; prints "ready" after its first round, then JSON: rounds, marks seen, mixtures, errors.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

file, stop = sys.argv[1], Path(sys.argv[2])
rounds, seen, mixtures, errors = 0, set(), [], []
while True:
    last = stop.exists()
    try:
        with duckdb.connect(file, read_only=True, config={"threads": 1}) as connection:
            marks = [
                connection.execute(f"select min(build), max(build) from {table}").fetchone()
                for table in ("test_attempt", "report_weeks")
            ]
        seen.update(marks[0])
        if len({mark for pair in marks for mark in pair}) > 1:
            mixtures.append(marks)
    except duckdb.Error as error:
        errors.append(str(error))
    rounds += 1
    if rounds == 1:
        print("ready", flush=True)
    if last:
        break
    time.sleep(0.3)  # twenty of them leave time for the publication
print(json.dumps({"rounds": rounds, "seen": sorted(seen), "mixtures": mixtures, "errors": errors}))
