"""A dashboard: asks every table for its builds, in transactions one after the other, until it is told to stop.

usage: database_reader.py STOP SCHEMA, the URL on standard input; prints "ready" after its first round, then JSON:
rounds, marks seen, mixtures, empty tables, errors.
"""

import json
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from bench.database_servers import engine_of

stop, schema, url = Path(sys.argv[1]), sys.argv[2], sa.make_url(sys.stdin.read())
engine = engine_of(url)
rounds, seen, mixtures, empty, errors = 0, set(), [], [], []
with engine.connect() as connection:
    while True:
        last = stop.exists()
        try:
            marks = set()
            with connection.begin():
                if url.drivername == "sqlite":  # Python's sqlite3 begins no transaction for a reader
                    connection.exec_driver_sql("begin")
                for table in ("test_attempt", "report_weeks", "module_status"):
                    query = f"select count(*), min(build), max(build) from {schema}{table}"
                    count, *found = connection.exec_driver_sql(query).one()
                    marks.update(found)
                    if not count:
                        empty.append(table)
            seen.update(marks)
            if len(marks) > 1:
                mixtures.append(sorted(marks, key=str))
        except sa.exc.SQLAlchemyError as error:
            errors.append(str(error))
        rounds += 1
        if rounds == 1:
            print("ready", flush=True)
        if last:
            break
        time.sleep(0.02)
print(json.dumps({"rounds": rounds, "seen": sorted(seen), "mixtures": mixtures, "empty": empty, "errors": errors}))
