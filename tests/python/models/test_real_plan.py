"""Acceptance: the planned and counted units of a plant's own dumps, through plants/mes."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from warehouse import Warehouse

from ingest import load_all
from pipeline.paths import PROJECT
from pipeline.plant import load_plant

REAL = Path(os.environ.get("FIRSTPASS_REAL") or PROJECT.parent / "shared" / "real")
PLAN = REAL / "mes" / "shift_plan.csv"
pytestmark = pytest.mark.skipif(
    not PLAN.is_file(), reason=f"no plan in {REAL}: FIRSTPASS_REAL=<folder that holds mes> names it"
)


# The plan has several rows per item, station and hour: joined as they are, they multiply what was made, or the plan.
def test_the_plan_keeps_its_total_and_units_count_once(tmp_path, monkeypatch):
    monkeypatch.setenv("REAL_DATA", str(REAL))
    plant = Warehouse(tmp_path)
    shutil.copytree(PROJECT / "plants" / "mes", plant.folder / "plant")
    load_all(load_plant(plant.folder / "plant"), plant.paths)
    assert plant.build("--select", "+plan_attainment")
    with closing(duckdb.connect(str(plant.paths.warehouse), read_only=True)) as connection:
        rows = connection.sql("select * from marts.plan_attainment").df()
    assert rows.planned_quantity.sum() == 86_990
    file = pd.read_csv(PLAN)
    keys = file.groupby(["ItemNo", "Station", "Date", "Hour"]).Quantity.sum()
    assert sorted(rows.planned_quantity[rows.planned_quantity > 0]) == sorted(keys[keys > 0].astype(float))
    made = pd.read_csv(PLAN.with_name("board_inspections.csv"))
    made["LastModifiedDate"] = pd.to_datetime(made.LastModifiedDate)
    days = set(zip(file.Station, pd.to_datetime(file.Date).dt.date, strict=True))
    counted = [key in days for key in zip(made.SubWorkCenter, made.LastModifiedDate.dt.date, strict=True)]
    assert abs(rows.actual_quantity.sum() - made.BoardId[counted].sum()) <= 0.01 * made.BoardId[counted].sum()
    assert (rows.attained_quantity <= rows.planned_quantity).all()
