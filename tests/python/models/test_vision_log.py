"""Acceptance: two machines' logs through plants/vision_log, against the same figures made from the files alone."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from warehouse import Warehouse

from pipeline.paths import PROJECT

REAL = Path(os.environ.get("FIRSTPASS_REAL") or PROJECT.parent / "shared" / "real")
LOGS = sorted((REAL / "vision_log").glob("*/PR*.txt"))
pytestmark = pytest.mark.skipif(
    not LOGS, reason=f"no logs in {REAL}: FIRSTPASS_REAL=<folder that holds vision_log> names them"
)
CLASSES = [("micro", 1.1), ("short", 12), ("medium", 60), ("long", 300)]


def figures_of(file: Path) -> dict:
    """The plant's rules, applied to one file: a machine's day."""
    log = pd.read_csv(file, header=None, names=["item", "lot", "serial", "present", "time"], dtype=str)
    log["time"] = pd.to_datetime(log.time.str.replace(";", "."), format="%m/%d/%y %H:%M:%S.%f")
    log = log[log.time.dt.hour.between(6, 22)].sort_values("time", kind="stable")
    parts = log[log.present == "1"]
    first, last = parts.time.min(), parts.time.max()
    gaps = log[log.time.between(first, last)].time.diff().dt.total_seconds()
    known = parts[parts.serial.str.strip("0") != ""]
    rework = int(known.serial.duplicated().sum())
    found = {"machine_id": file.parent.name, "production_date": first.normalize(), "produced": len(parts)}
    found |= {"rework": rework, "good": len(parts) - rework, "pbt_s": (last - first).total_seconds()}
    for (name, low), (_, high) in zip(CLASSES, [*CLASSES[1:], ("", float("inf"))], strict=True):
        stops = gaps[(gaps > low) & (gaps <= high)]
        found |= {f"{name}_count": len(stops), f"{name}_s": stops.sum()}
    return found | {"apt_s": found["pbt_s"] - found["medium_s"] - found["long_s"]}


@pytest.fixture(scope="module")
def plant(tmp_path_factory) -> Warehouse:
    plant = Warehouse(tmp_path_factory.mktemp("vision_log"))
    shutil.copytree(PROJECT / "plants" / "vision_log", plant.folder / "plant")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REAL_DATA", str(REAL))
        plant.load()
    assert plant.build("--select", "+int_machine_time")
    return plant


def query(plant: Warehouse, text: str) -> pd.DataFrame:
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        return connection.sql(text).df()


# OEE of a machine that nobody can compute again from its log is believed by nobody.
def test_time_and_units_of_each_machine_and_day_are_those_of_its_file(plant):
    expected = (
        pd.DataFrame([figures_of(file) for file in LOGS]).set_index(["machine_id", "production_date"]).sort_index()
    )
    stops = ",".join(
        f"count(distinct stop_started_at) filter (stop_class = '{name}') as {name}_count,"
        f" coalesce(sum(duration_us) filter (stop_class = '{name}'), 0)::bigint / 1e6 as {name}_s"
        for name, _ in CLASSES
    )
    found = query(
        plant,
        f"""
        with times as (
            select machine_id, production_date, sum(apt_s + aust_s + adet_s + adot_s) as pbt_s, sum(apt_s) as apt_s,
                sum(produced)::bigint as produced, sum(good)::bigint as good, sum(rework)::bigint as rework,
                sum(planned_run_time_s) as planned_run_time_s, sum(unplanned_production_s) as unplanned_production_s
            from intermediate.int_machine_time group by all
        ), stops as (
            select machine_id, production_date, {stops} from intermediate.int_machine_interval group by all
        )
        select * from times join stops using (machine_id, production_date) where produced > 0
        """,
    )
    found = found.set_index(["machine_id", "production_date"]).sort_index()
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False, check_exact=False, atol=1e-6)
    assert (found.unplanned_production_s == 0).all()
    # 140 parts a minute
    assert (abs(found.planned_run_time_s - found.produced / 140 * 60) < 1e-6).all()
    print((found.good / 140 * 60 / found.pbt_s).round(4).to_dict())


# A day of which no file came is no day on which the machine stood.
def test_a_day_without_a_file_is_no_data(plant):
    day = query(
        plant,
        "select sum(no_data_s) as no_data_s, sum(unscheduled_s) as unscheduled_s, sum(produced)::bigint as produced"
        " from intermediate.int_machine_time where machine_id = 'Line8' and production_date = date '2022-10-11'",
    )
    assert day.to_dict("records") == [{"no_data_s": 17 * 3600, "unscheduled_s": 7 * 3600, "produced": 0}]
