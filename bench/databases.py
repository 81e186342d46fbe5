"""Peers: the three summary tables of one Parquet file by bench/three_tables.sql, on three engines.

`python -m bench.databases duckdb|spark|postgresql FILE` prints the seconds of the SQL, without starting the engine; for
PostgreSQL also without loading its table, for which it prints the seconds apart.
"""

import re
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb

STATEMENTS = re.split(r";\s*\n", Path(__file__).with_name("three_tables.sql").read_text().strip())
NAMES = ["serial_num", "product_name", "test_name", "machine_id", "test_timestamp", "test_timestamp_local"]
NAMES += ["test_result", "test_duration_s"]
COLUMNS = ", ".join(NAMES)
TYPES = {"test_timestamp": "timestamp", "test_timestamp_local": "timestamp", "test_duration_s": "double precision"}


def on_duckdb(file: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = {"threads": 2, "preserve_insertion_order": False, "memory_limit": "8GB", "temp_directory": folder}
        with closing(duckdb.connect(f"{folder}/tables.duckdb", config=config)) as connection:
            connection.execute(f"create temp view test_record as select {COLUMNS} from '{file}'")
            _run(connection.execute)


def on_spark(file: str) -> None:
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory() as folder:
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.driver.memory", "8g").config("spark.sql.shuffle.partitions", 64)
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.sql.timestampType", "TIMESTAMP_NTZ")
        session = builder.config("spark.sql.warehouse.dir", folder).config("spark.local.dir", folder).getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        session.read.parquet(file).createOrReplaceTempView("test_record")
        _run(session.sql)
        session.stop()


def on_postgresql(file: str) -> None:
    import psycopg

    from bench.database_servers import postgresql_server

    with postgresql_server() as server:
        url = server.url
        login = {"host": url.host, "port": url.port, "user": url.username, "password": url.password, "dbname": "plant"}
        with closing(psycopg.connect(**login, autocommit=True)) as connection, closing(duckdb.connect()) as source:
            connection.execute("set work_mem = '1GB'")
            columns = ", ".join(f"{name} {TYPES.get(name, 'text')}" for name in NAMES)
            connection.execute(f"create unlogged table test_record ({columns})")
            began = time.perf_counter()
            rows = source.execute(f"select {COLUMNS} from '{file}'")
            with connection.cursor().copy(f"copy test_record ({COLUMNS}) from stdin") as copy:
                while batch := rows.fetchmany(10_000):
                    for row in batch:
                        copy.write_row(row)
            connection.execute("analyze test_record")
            print("loading", time.perf_counter() - began)
            _run(connection.execute)


def _run(execute: Callable[[str], object]) -> None:
    began = time.perf_counter()
    for statement in STATEMENTS:
        execute(statement.rstrip(";"))
    print(time.perf_counter() - began)


if __name__ == "__main__":
    {"duckdb": on_duckdb, "spark": on_spark, "postgresql": on_postgresql}[sys.argv[1]](sys.argv[2])
