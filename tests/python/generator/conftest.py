"""Simulated histories to look at, and a small plant unlike the demo."""

from datetime import date, time
from pathlib import Path

import duckdb
import pytest

from generator import simulate
from pipeline.paths import PROJECT

DEMO = PROJECT / "plants" / "demo"
SMALL_PLANT = {
    "products": "product_name,serial_prefix,weekly_start_qty,weekly_start_sd\n=1+1,Z,40,0\n<b>ä</b>,Z9,25,0.5\nold,Z,0,0\n",
    "tests": "test_name\n@weigh\n'; drop table x --\n",
    "routes": (
        "Product Name,test_name,sequence,pass_probability,retest_pass_factor,pass_duration_s,fail_duration_s,"
        "duration_sd,wait_s\n"
        '=1+1,"\'; drop table x --",2,0.5,1,60,30,0,0\n=1+1,@weigh,1,0.9,0.5,60,30,0.1,60\n'
        "<b>ä</b>,@weigh,-5,1,1,10,5,0,0\n"
    ).replace("Product Name", "ProductName"),
    "machines": "machine_id,line_id\n+1,a\n-2,\n",
    "machine_tests": "machine_id,test_name,share\n+1,@weigh,3\n-2,@weigh,1\n-2,'; drop table x --,7\n",
    "error_codes": 'test_name,error_code,share\n@weigh,=HYPERLINK("x"),1\n\'; drop table x --,E,0.001\n'.replace(
        '=HYPERLINK("x")', '"=HYPERLINK(""x"")"'
    ),
    "components": "component,share\nscrew,1\n",
    "simulation": (DEMO / "simulation.csv").read_text(encoding="utf-8"),
}


@pytest.fixture(scope="session")
def demo() -> Path:
    return DEMO


@pytest.fixture
def small_plant(tmp_path: Path) -> Path:
    """Two products of two tests; its names look like formulas, markup and SQL."""
    folder = tmp_path / "small"
    folder.mkdir()
    for name, content in SMALL_PLANT.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def run():
    """simulate() with defaults: two weeks of the demo plant at a hundredth of its volume."""

    def run(folder: Path = DEMO, **history):
        defaults = {
            "seed": 1,
            "scale": 0.01,
            "start": date(2024, 1, 1),
            "timezone": "Asia/Singapore",
            "day_start": time(7),
            "begin_day": 0,
            "end_day": 14,
        }
        return simulate(folder, **{**defaults, **history})

    return run


@pytest.fixture(scope="session")
def quarter(run):
    """A connection with test_record and rework of 13 weeks of the demo plant at a fifth of its volume (UTC)."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    for name, table in run(scale=0.2, end_day=91).items():
        connection.register("arrived", table)
        connection.execute(f"create table {name} as select * from arrived")
    return connection
