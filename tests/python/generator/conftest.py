"""Simulated histories to look at, and a small plant unlike the demo."""

import re
import shutil
from datetime import date, time
from pathlib import Path

import duckdb
import pytest

from generator import simulate
from pipeline.paths import PROJECT

DEMO = PROJECT / "plants" / "demo"
SMALL_PLANT = {
    "products": """product_name,serial_prefix,weekly_start_qty,weekly_start_sd
=1+1,Z,40,0
<b>ä</b>,Z9,25,0.5
old,Z,0,0
""",
    "tests": """test_name
@weigh
'; drop table x --
""",
    "routes": """product_name,test_name,sequence,pass_probability,retest_pass_factor,pass_duration_s,fail_duration_s,\
duration_sd,wait_s
=1+1,'; drop table x --,2,0.5,1,60,30,0,0
=1+1,@weigh,1,0.9,0.5,60,30,0.1,60
<b>ä</b>,@weigh,-5,1,1,10,5,0,0
""",
    "machines": """machine_id,line_id
+1,a
-2,
""",
    "machine_tests": """machine_id,test_name,share
+1,@weigh,3
-2,@weigh,1
-2,'; drop table x --,7
""",
    "error_codes": """test_name,error_code,share
@weigh,=HYPERLINK(A1),1
'; drop table x --,E,0.001
""",
    "components": """component,share
screw,1
""",
    "simulation": re.sub(
        r"(?m)^rework_probability,[^,]*",
        "rework_probability,0.5",
        (DEMO / "simulation.csv").read_text(encoding="utf-8"),
    ),
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
def modules_only(tmp_path_factory) -> Path:
    """The demo plant without its production machines, which take ten times as long as a hundredth of its modules."""
    folder = tmp_path_factory.mktemp("modules")
    for file in DEMO.glob("*.csv"):
        if file.name != "simulated_machines.csv":
            shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="session")
def run(modules_only):
    """simulate() with defaults: two weeks of the demo plant's modules at a hundredth of its volume."""

    def run(folder: Path = modules_only, **history):
        defaults = {
            "seed": 1,
            "scale": 0.01,
            "start": date(2024, 1, 1),
            "timezone": "Asia/Singapore",
            "day_start": time(7),
            "begin_day": 0,
            "end_day": 14,
            "tables": ("test_record", "rework"),
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
