"""A small warehouse as dbt leaves it, and other people's clients as real processes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.paths import PROJECT, Paths

HERE = Path(__file__).parent

WAREHOUSE = """
create schema marts;
create schema publish;
create table marts.test_attempt as
    select
        'A' || lpad((i // 3)::varchar, 6, '0') as serial_num,
        timestamp '2024-01-01 07:00:00' + interval 1 minute * i as test_timestamp,
        date '2024-01-01' + 7 * (i // 1000)::integer as load_week_start,
        '2024-W' || lpad((i // 1000 + 1)::varchar, 2, '0') as load_week,
        i % 7 <> 0 as is_pass,
        case when i % 7 = 0 then '<b>=1+1''; drop table x; --' end as error_code,
        case i % 500 when 0 then 'nan' when 1 then 'inf' when 2 then '-inf' when 3 then null
            else (i % 97 - 40) / 7e0 end::double as test_duration_s,
        i % 3 + 1 as run_number,
        $build::bigint as build
    from range($rows) as attempts(i);
comment on table marts.test_attempt is 'One row per attempt; the operator''s "first" is run 1.';
comment on column marts.test_attempt.test_duration_s is 'Seconds; start to end.';
create table marts.module_status as
    select serial_num, min(load_week_start) as load_week_start, min(load_week) as load_week, count(*) as attempts,
        any_value(build) as build
    from marts.test_attempt group by serial_num order by serial_num;
insert into marts.module_status values ('Z000001', null, null, 0, $build);
create table marts.station_day as
    select test_timestamp::date as production_date, count(*) as attempts, sum(test_duration_s) filter
        (where isfinite(test_duration_s)) as duration_s
    from marts.test_attempt group by all order by all;
create table marts.route_step (product_name varchar, sequence bigint);
create view publish.report_weeks as
    select load_week, count(*)::decimal(18, 3) as attempts, sum(run_number) as runs, any_value(build) as build
    from "warehouse"."marts"."test_attempt" group by all;
comment on view publish.report_weeks is 'One row per load week.';
comment on column publish.report_weeks.attempts is 'Attempts in the week.';
create schema staging;
create view staging.stg_test_record as select 1 as not_published;
"""
"""build: the mark of a dbt build, the same in every row. Views name their tables with the database, as dbt's do."""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "data")


@pytest.fixture
def build(paths: Paths) -> Callable[..., None]:
    """build(mark): a new warehouse with that mark in its rows."""

    def build_warehouse(mark: int, rows: int = 4000) -> None:
        paths.warehouse.parent.mkdir(exist_ok=True)
        paths.warehouse.unlink(missing_ok=True)
        with duckdb.connect(paths.warehouse) as warehouse:
            statements = [part for part in WAREHOUSE.split(";\n") if part.strip()]
            for statement in statements:
                needed = {name: value for name, value in (("build", mark), ("rows", rows)) if f"${name}" in statement}
                warehouse.execute(statement, needed or None)

    return build_warehouse


@pytest.fixture
def publisher(paths: Paths) -> Callable[[], subprocess.Popen]:
    """publisher(): `python -m publish` as a process of its own, its lines on stdout as they come."""
    running = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "publish"],
            cwd=PROJECT,
            env={**os.environ, "FIRSTPASS_DATA": str(paths.data)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def duckdb_1_0(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the real duckdb 1.0.0, the oldest client that must be able to read."""
    if sys.version_info >= (3, 13):
        pytest.skip("duckdb 1.0.0 has no wheels for Python 3.13 and newer")
    folder = tmp_path_factory.mktemp("duckdb-1.0")  # requirements-duckdb-1.0.in, compiled like requirements.lock
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        + ["--target", str(folder), "--requirement", str(HERE / "requirements-duckdb-1.0.lock")],
        check=True,
    )
    return folder


@pytest.fixture(params=["this", "1.0"])
def client(request: pytest.FixtureRequest) -> Callable[..., list]:
    """client(file, *statements): what another program gets from them; once with this DuckDB, once with DuckDB 1.0.

    Each statement's rows, or its error as a text. With leave="killed" the program dies without closing the file.
    """
    folder = request.getfixturevalue("duckdb_1_0") if request.param == "1.0" else None

    def ask(file: Path, *statements: str, read_only: bool = True, leave: str = "closed") -> list:
        asked = json.dumps({"file": str(file), "statements": statements, "read_only": read_only, "leave": leave})
        environment = {**os.environ, **({"PYTHONPATH": str(folder)} if folder else {})}
        done = subprocess.run(
            [sys.executable, HERE / "client.py", asked],
            env=environment,
            cwd=HERE,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.stdout, done.stderr
        answer = json.loads(done.stdout)
        assert answer["version"] == ("1.0.0" if folder else duckdb.__version__)
        return answer["results"]

    return ask


@pytest.fixture
def marks(paths: Paths) -> Callable[[], set]:
    """marks(): the builds that readers of published/marts.duckdb see, over all tables; more than one is a mixture."""

    def read() -> set:
        with duckdb.connect(paths.published / "marts.duckdb", read_only=True) as reader:
            return {
                mark
                for table in ("test_attempt", "module_status", "report_weeks")
                for (mark,) in reader.execute(f"select distinct build from {table}").fetchall()
            }

    return read
